//! Mails as one of their two people sees them.

use std::collections::HashMap;

use crate::App;
use crate::domain::ids::UserId;
use crate::domain::mail::{Mail, Person};
use crate::domain::user::{Card, Claims};
use crate::error::Result;
use crate::store::mail::Correspondent;
use crate::store::profiles;

/// One mail.
pub async fn mail(app: &App, side: &Correspondent) -> Result<Mail> {
    let content = side.content();
    let cards = profiles::cards(app, [content.sender, content.recipient]).await?;
    Ok(mail_between(
        side,
        card(&cards, content.sender),
        card(&cards, content.recipient),
    ))
}

/// Many mails, in the order of the sides.
pub async fn mails(app: &App, sides: &[Correspondent]) -> Result<Vec<Mail>> {
    let people = sides
        .iter()
        .flat_map(|side| [side.content().sender, side.content().recipient]);
    let cards = profiles::cards(app, people).await?;
    let mail = |side: &Correspondent| {
        let content = side.content();
        mail_between(
            side,
            card(&cards, content.sender),
            card(&cards, content.recipient),
        )
    };
    Ok(sides.iter().map(mail).collect())
}

/// One mail, between two who are known.
pub fn mail_between(side: &Correspondent, sender: Card, recipient: Card) -> Mail {
    let (content, flags) = (side.content(), side.flags());
    let shown = flags.shows_content();
    Mail {
        id: content.id,
        sender: Person::of(content.sender, sender),
        recipient: Person::of(content.recipient, recipient),
        subject: if shown {
            content.subject.clone()
        } else {
            String::new()
        },
        body: shown.then(|| content.body.clone()),
        moderation_status: flags.moderation_status,
        is_deleted: flags.is_erased,
        is_read: flags.is_read,
        is_starred: flags.is_starred,
        is_archived: flags.is_archived,
        read_at: flags.read_at,
        created_at: content.created_at,
        updated_at: flags.updated_at.map_or(content.created_at, |updated_at| {
            updated_at.max(content.created_at)
        }),
        version: flags.version,
        truncated: false,
    }
}

fn card(cards: &HashMap<UserId, Card>, user: UserId) -> Card {
    let unknown = || Card::of(user, &Claims::default());
    cards.get(&user).cloned().unwrap_or_else(unknown)
}
