//! `resume`: posts the first page of what was missed since a token, in order, then how far it got.
//!
//! A page is limited, so that it is posted well within the time of an invocation (29 s); the client requests the next
//! one. A connection can have only one resume at a time: API Gateway invokes a function for each frame, and the frames
//! of two resumes would be interleaved.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::domain::frame::{Frame, Namespace, Resumed};
use shared::operations::missed;
use shared::operations::views::{self, Unread};
use shared::rights::{Rights, TableAction};
use shared::socket::{Action, Connection};
use shared::store::rates::RateLimit;
use shared::store::sync::{self, Token};
use shared::{App, Result};

/// `resume`
pub struct Resume;

/// The frame.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "ResumeRequest")]
pub struct Input {
    /// The last sync token: `next` of `GET /api/events` or of the previous `resumed`.
    pub after: String,
}

impl Action for Resume {
    const NAME: &'static str = "resume";
    const KEY: &'static str = "resume";
    const SUMMARY: &'static str = "Receive missed frames";
    const DESCRIPTION: &'static str = "Missed frames are sent in order, at most 200 frames or 256 KB, followed by `resumed`. While its \
         `has_more` is true, send `resume` again with its `next`. A connection can have only one \
         `resume` at a time; another one is refused with 4008.\n\n\
         If the token is older than 30 days, or if there were more than 10,000 events since, only \
         `resumed` with `recovered: false` is sent.";
    const ANSWERED_BY: Option<&'static str> = Some("resumed");
    const RATE_LIMITS: &'static [RateLimit] = &[RateLimit::Frames, RateLimit::Resumes, RateLimit::Resuming];
    const RIGHTS: Rights = Rights::OF_A_FRAME
        .table(&[TableAction::BatchGetItem, TableAction::Query])
        .queries_by_user();
    type Input = Input;

    fn example() -> Value {
        json!({ "type": "resume", "after": "qk7mSx0…" })
    }

    async fn handle(app: &App, from: Connection, input: Input) -> Result<Vec<Frame>> {
        let user = from.caller.user;
        let token = Token::open(app, user, &input.after)?;
        // Before the reads: events that happen during the reads belong to the next page.
        let now = app.now();
        let snapshots = sync::snapshots(app, user).await?;
        let page = missed::page(app, user, (now, &snapshots), &token, Unread::LeftOut, |_| true).await?;
        if !missed::post(app, &from.id, &page.frames).await? {
            return Ok(Vec::new());
        }
        Ok(vec![Frame::Resumed(Resumed {
            namespace: Namespace::Conversations,
            next: page.next.seal(app, user)?,
            recovered: page.recovered,
            has_more: page.has_more,
            unread: views::unread(app, &snapshots).await?,
        })])
    }
}
