//! `resume`: sends what was missed since a token, in order, then says so.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::domain::frame::{Frame, Namespace, Resumed};
use shared::lambda::{Function, Port};
use shared::socket::{self, Action, Connection, entry};
use shared::store::sync::{self, Token};
use shared::{App, Result, views};

/// `resume`
pub struct Resume;

/// The frame.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "ResumeRequest")]
pub struct Input {
    /// The last token: `next` of a sync or of the resume before.
    pub after: String,
}

/// How many missed frames are read at once.
const PAGE: usize = 100;

/// The function.
pub fn function() -> Function {
    Function::frame(entry::<Resume>()).using(&[Port::Connections])
}

impl Action for Resume {
    const NAME: &'static str = "resume";
    const KEY: &'static str = "resume";
    const SUMMARY: &'static str = "Have the missed frames sent, after a reconnect";
    type Input = Input;

    fn example() -> Value {
        json!({ "type": "resume", "after": "qk7mSx0…" })
    }

    async fn handle(app: &App, from: Connection, input: Input) -> Result<Vec<Frame>> {
        let user = from.caller.user;
        let mut token = Token::open(app, user, &input.after)?;
        loop {
            let now = app.now();
            let places = sync::places(app, user).await?;
            let since = sync::since(app, now, &places, &token, PAGE).await?;
            for frame in views::frames(app, user, &places, &since.told).await? {
                socket::send(app, &from.id, &frame).await?;
            }
            token = since.next;
            if !since.has_more {
                let resumed = Resumed {
                    namespace: Namespace::Conversations,
                    next: token.seal(app, user)?,
                    recovered: since.recovered,
                    unread: views::unread(app, &places).await?,
                };
                return Ok(vec![Frame::Resumed(resumed)]);
            }
        }
    }
}
