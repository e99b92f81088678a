//! `GET /api/v2/messages`: the mails of a folder, newest first (S0-E01).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::Caller;
use shared::domain::mail::{Folder, Listing, Mail};
use shared::http::input::Nothing;
use shared::http::page::{Found, ListQuery, PagePerPage, PagePerPageFields};
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::operations::views;
use shared::rights::{Rights, TableAction};
use shared::store::mail::{self, Position};
use shared::{App, Result};

use crate::examples;

/// `GET /api/v2/messages`
pub struct ListMail;

/// Which mails.
#[derive(Deserialize, JsonSchema)]
pub struct Filter {
    /// The folder.
    #[serde(default)]
    pub folder: Folder,
    /// Whether to list only unread items.
    #[serde(default)]
    pub unread_only: bool,
}

/// A page of mails.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MailList")]
pub struct Output {
    /// The mails. If the bodies are too large for one response, some are null, with `truncated: true`.
    pub messages: Vec<Mail>,
    /// The position of the page.
    #[serde(flatten)]
    pub page: PagePerPageFields,
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
    type Query = ListQuery<PagePerPage<20>, Filter>;
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
        let (user, filter) = (call.who.user, &call.query.filter);
        let listing = Listing {
            folder: filter.folder,
            unread_only: filter.unread_only,
        };
        let pager = call
            .query
            .pager(app, user, Self::ROUTE.name, &(filter.folder, filter.unread_only))?;
        let (after, skipped) = (pager.after().copied(), pager.skipped()?);
        let found = mail::page(app, user, listing, after, skipped, pager.size()).await?;
        let positions = found.mails.iter().map(|side| Position::of(side.content()));
        let page = pager.page_of(
            Found {
                rows: positions
                    .zip(views::mail::mails(app, &found.mails).await?)
                    .collect(),
                total: found.total,
                next: found.next,
            },
            Mail::leave_body_out,
        )?;
        Ok(Output {
            messages: page.rows,
            page: page.fields,
        }
        .into())
    }
}
