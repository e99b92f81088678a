//! Restoring the end of the audit log: the command `tidings restore-audit`, and the route of the running desk that it
//! calls.
//!
//! In the cloud this is `aws lambda invoke` with the function `RestoreAudit`.

use std::sync::Arc;

use bytes::Bytes;
use http::{Response, StatusCode};
use local_gateway::http::Extra;

use crate::invoker::SharedInvoker;
use crate::redrive;

/// The path on the desk.
pub const PATH: &str = "/desk/restore-audit";

/// The function, as the template names it.
const FUNCTION: &str = "RestoreAudit";

/// The desk's side of the command.
pub fn route(invoker: SharedInvoker) -> Extra {
    Arc::new(move |_| {
        let invoker = Arc::clone(&invoker);
        Box::pin(async move {
            let (status, words) = match invoker.invoke(FUNCTION, b"{}".to_vec()).await {
                Ok(_) => (StatusCode::OK, "the end of the audit log is in place".to_owned()),
                Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
            };
            let mut response = Response::new(Bytes::from(words));
            *response.status_mut() = status;
            response
        })
    })
}

/// The command's side: calls the desk on a port. The error is for the user of the command.
pub async fn ask(http_port: u16) -> Result<String, String> {
    redrive::post(http_port, PATH).await
}
