//! `GET /api/v2/messages`: the mails of a folder, newest first (S0-E01).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::{Caller, cursor};
use shared::domain::mail::{Folder, Listing, Mail};
use shared::http::input::Nothing;
use shared::http::page::{PageNumber, PageSize, skip};
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::operations::views;
use shared::rights::{Rights, TableAction};
use shared::store::mail::{self, Place};
use shared::{App, Result};

use crate::examples;

/// `GET /api/v2/messages`
pub struct ListMail;

/// The parameters of the query.
#[derive(Deserialize, JsonSchema)]
pub struct Query {
    /// Which folder.
    #[serde(default)]
    pub folder: Folder,
    /// Which page, from 1.
    #[serde(default)]
    pub page: PageNumber,
    /// How many mails a page holds, 1 to 100.
    #[serde(default)]
    pub per_page: PageSize<20>,
    /// Whether to list what is unread alone.
    #[serde(default)]
    pub unread_only: bool,
    /// Where to go on: the `next_cursor` of the page before. It wins over `page`.
    pub cursor: Option<String>,
}

/// A page of mails.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MailList")]
pub struct Output {
    /// The mails. Bodies for which an answer has no room are null, with `truncated`.
    pub messages: Vec<Mail>,
    /// How many there are in all.
    pub total: u64,
    /// Which page this is.
    pub page: u64,
    /// How many a page holds.
    pub per_page: u64,
    /// How many pages there are.
    pub pages: u64,
    /// Whether there are more.
    pub has_next: bool,
    /// Where to go on; null at the end.
    pub next_cursor: Option<String>,
}

impl Endpoint for ListMail {
    const ROUTE: Route = Route::get(Tag::Mail, "list_mail", "/api/v2/messages", "List mails").described(
        "The mails of a folder, newest first. `inbox` leaves out archived mails; `sent` contains all \
         sent mails.\n\n\
         Flags (`is_read`, `is_starred`, `is_archived`) are the caller's own. If the bodies on a page \
         are very large, the last mails of the page come with `body: null` and `truncated: true`: get \
         them by id.",
    );
    const RIGHTS: Rights = Rights::OF_A_ROUTE.table(&[TableAction::BatchGetItem, TableAction::Query]);
    type Who = Caller;
    type Path = Nothing;
    type Query = Query;
    type Body = Nothing;
    type Output = Output;

    fn example() -> Example {
        Example {
            parameters: json!({ "folder": "inbox", "page": 1, "per_page": 20, "unread_only": false }),
            answer: json!({
                "messages": [examples::mail()],
                "total": 1,
                "page": 1,
                "per_page": 20,
                "pages": 1,
                "has_next": false,
                "next_cursor": null
            }),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Output>> {
        let (user, secret, query) = (call.who.user, app.config().cursor_secret()?, &call.query);
        let listing = Listing {
            folder: query.folder,
            unread_only: query.unread_only,
        };
        let list = format!(
            "{}/{}/{}",
            Self::ROUTE.name,
            query.folder.as_str(),
            query.unread_only
        );
        let per_page = query.per_page.get();
        let after: Option<Place> = match &query.cursor {
            Some(sealed) => Some(cursor::open(secret, user, &list, sealed)?),
            None => None,
        };
        let skipped = if after.is_some() {
            0
        } else {
            skip(query.page, per_page)?
        };
        let found = mail::page(app, user, listing, after, skipped, per_page).await?;
        let next_cursor = match &found.next {
            Some(place) => Some(cursor::seal(secret, user, &list, place)?),
            None => None,
        };
        Ok(Output {
            messages: views::mail::mails(app, &found.mails).await?,
            total: found.total,
            page: query.page.get(),
            per_page,
            pages: found.total.div_ceil(per_page),
            has_next: next_cursor.is_some(),
            next_cursor,
        }
        .into())
    }
}
