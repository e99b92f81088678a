//! Mails as one of their two people sees them.

use std::collections::HashMap;

use crate::App;
use crate::domain::ids::UserId;
use crate::domain::mail::{Mail, PAGE_BUDGET_BYTES, Person, weight};
use crate::domain::user::{Card, Claims};
use crate::error::Result;
use crate::store::mail::Correspondent;
use crate::store::profiles;

/// One mail.
pub async fn mail(app: &App, side: &Correspondent) -> Result<Mail> {
    let content = side.content();
    let cards = profiles::cards(app, [content.sender, content.recipient]).await?;
    Ok(mail_with(side, &cards))
}

/// Many mails, in the order of the sides. Bodies that no answer has room for are left out, those of the last first.
pub async fn mails(app: &App, sides: &[Correspondent]) -> Result<Vec<Mail>> {
    let people = sides
        .iter()
        .flat_map(|side| [side.content().sender, side.content().recipient]);
    let cards = profiles::cards(app, people).await?;
    let mut budget = PAGE_BUDGET_BYTES;
    let mut mails = Vec::with_capacity(sides.len());
    for side in sides {
        let mut mail = mail_with(side, &cards);
        match budget.checked_sub(weight(&side.content().body)) {
            Some(left) => budget = left,
            None => {
                mail.body = None;
                mail.truncated = true;
            }
        }
        mails.push(mail);
    }
    Ok(mails)
}

/// One mail, by what is known of its two people.
pub fn mail_with(side: &Correspondent, cards: &HashMap<UserId, Card>) -> Mail {
    let (content, flags) = (side.content(), side.flags());
    let person = |user: UserId| match cards.get(&user) {
        Some(card) => Person::of(user, card),
        None => Person::of(user, &Card::of(user, &Claims::default())),
    };
    Mail {
        id: content.id,
        sender: person(content.sender),
        recipient: person(content.recipient),
        subject: content.subject.clone(),
        body: Some(content.body.clone()),
        is_read: flags.is_read,
        is_starred: flags.is_starred,
        is_archived: flags.is_archived,
        read_at: flags.read_at,
        created_at: content.created_at,
        updated_at: flags
            .updated_at
            .unwrap_or(content.created_at)
            .max(content.created_at),
        version: flags.version,
        truncated: false,
    }
}
