//! `$default`: rejects a frame with an unknown type, or that is not JSON, with 4003 (S1-W08).

use serde_json::{Value, json};
use shared::domain::frame::Frame;
use shared::http::input::Nothing;
use shared::socket::{Action, Connection};
use shared::{App, Error, Result};

/// `$default`
pub struct RejectFrame;

impl Action for RejectFrame {
    const NAME: &'static str = "reject_frame";
    const KEY: &'static str = "$default";
    const SUMMARY: &'static str = "Everything else";
    const DESCRIPTION: &'static str = "Refused with an error frame.";
    type Input = Nothing;

    fn example() -> Value {
        json!({ "type": "no_such_type" })
    }

    async fn handle(_: &App, _: Connection, _: Nothing) -> Result<Vec<Frame>> {
        Err(Error::invalid(
            "type",
            "unknown_value",
            "must be one of ping, typing, mark_read, resume",
        ))
    }
}
