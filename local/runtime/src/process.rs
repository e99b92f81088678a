//! One execution environment: a process that handles one event at a time.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use uuid::Uuid;

use crate::conversation::{Conversation, Said, Work};

/// The timeout of a process's init.
/// Source: AWS, *Understanding the Lambda execution environment lifecycle*.
pub const INIT_LIMIT: Duration = Duration::from_secs(10);
/// The receiver of a process's output lines.
pub type Log = Arc<dyn Fn(&str) + Send + Sync>;

/// How the processes of a function are started.
#[derive(Clone)]
pub struct Launch {
    /// The name of the function.
    pub function: String,
    /// The binary.
    pub program: PathBuf,
    /// The memory that Lambda would give it.
    pub memory_mb: u64,
    /// Its environment variables, without those that Lambda adds.
    pub environment: BTreeMap<String, String>,
    /// Where its lines go.
    pub log: Log,
}

/// Why an invocation failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The function returned an error; holds the error object. The process continues.
    #[error("the function failed: {0}")]
    Reported(String),
    /// The process exited or did not start; holds an error object of the same form.
    #[error("the process ended: {0}")]
    Ended(String),
    /// The process timed out, and was killed.
    #[error("the function took too long")]
    TimedOut,
    /// The response exceeds the limit. The process continues.
    #[error("the answer is too large")]
    TooLarge,
}

/// A process; killed when this value is dropped.
pub struct Process {
    function: String,
    child: Child,
    conversation: Conversation,
}

impl Process {
    /// Starts a process and waits until its init is done.
    pub async fn start(launch: &Launch) -> Result<Self, Failure> {
        let unstartable = |error: io::Error| {
            let message = format!("{} cannot be started: {error}", launch.program.display());
            Failure::Ended(error_object("Runtime.InvalidEntrypoint", &message))
        };
        let conversation = Conversation::begin().await.map_err(unstartable)?;
        let mut child = Command::new(&launch.program)
            .env_clear()
            .envs(of_lambda(launch))
            .envs(&launch.environment)
            .env("AWS_LAMBDA_RUNTIME_API", conversation.address().to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C is only for the desk, which completes requests first.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(unstartable)?;
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(pass_on(stdout, Arc::clone(&launch.log)));
        }
        if let Some(stderr) = child.stderr.take() {
            let (log, function) = (Arc::clone(&launch.log), launch.function.clone());
            // Other output becomes log lines too.
            let wrapped = move |line: &str| {
                log(&json!({ "level": "ERROR", "function": function, "message": line }).to_string());
            };
            tokio::spawn(pass_on(stderr, Arc::new(wrapped)));
        }
        let mut process = Self {
            function: launch.function.clone(),
            child,
            conversation,
        };
        match tokio::time::timeout(INIT_LIMIT, process.init()).await {
            Ok(Ok(())) => Ok(process),
            Ok(Err(error)) => Err(error),
            Err(_) => {
                process.kill().await;
                Err(Failure::TimedOut)
            }
        }
    }

    async fn init(&mut self) -> Result<(), Failure> {
        loop {
            tokio::select! {
                biased;
                said = self.conversation.hear() => match said {
                    Some(Said::InitFailed(error)) => return Err(Failure::Ended(error)),
                    Some(Said::Asks) => return Ok(()),
                    _ => {}
                },
                status = self.child.wait() => return Err(exited(status)),
            }
        }
    }

    /// Passes an event to the process and waits for the response. A process that times out is killed.
    pub async fn invoke(&mut self, event: Bytes, timeout: Duration) -> Result<Bytes, Failure> {
        let deadline = SystemTime::now() + timeout;
        let id = Uuid::new_v4();
        let work = Work {
            id,
            event,
            deadline_milliseconds: deadline
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default()
                .as_millis(),
            function: self.function.clone(),
        };
        self.conversation.give(work).await;
        if let Ok(outcome) = tokio::time::timeout(timeout, self.outcome(id)).await {
            return outcome;
        }
        self.kill().await;
        Err(Failure::TimedOut)
    }

    async fn outcome(&mut self, of: Uuid) -> Result<Bytes, Failure> {
        loop {
            tokio::select! {
                biased;
                said = self.conversation.hear() => match said {
                    Some(Said::Answers(id, answer)) if id == of => return Ok(answer),
                    Some(Said::Fails(id, error)) if id == of => return Err(Failure::Reported(error)),
                    Some(Said::SaysTooMuch(id)) if id == of => return Err(Failure::TooLarge),
                    _ => {}
                },
                status = self.child.wait() => return Err(exited(status)),
            }
        }
    }

    /// The id of the process; none once it has ended.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Whether the process can handle an event.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends the process at once, and waits until it is gone.
    pub async fn kill(&mut self) {
        // It only fails if the process is already gone.
        self.child.kill().await.ok();
    }
}

/// The environment variables that Lambda sets.
/// Source: AWS, *Working with Lambda environment variables*, reserved and unreserved ones.
fn of_lambda(launch: &Launch) -> [(&'static str, String); 12] {
    [
        ("AWS_LAMBDA_FUNCTION_NAME", launch.function.clone()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", launch.memory_mb.to_string()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        (
            "AWS_LAMBDA_LOG_GROUP_NAME",
            format!("/aws/lambda/{}", launch.function),
        ),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "local".to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
        ("_HANDLER", "bootstrap".to_owned()),
        ("TZ", ":UTC".to_owned()),
        ("LANG", "en_US.UTF-8".to_owned()),
        ("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin".to_owned()),
    ]
}

/// Forwards output lines until the process ends.
async fn pass_on(stream: impl AsyncRead + Unpin, log: Log) {
    let mut lines = BufReader::new(stream).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        log(&line);
    }
}

fn exited(status: io::Result<ExitStatus>) -> Failure {
    let how = status.map_or_else(|error| error.to_string(), |status| status.to_string());
    Failure::Ended(error_object(
        "Runtime.ExitError",
        &format!("Runtime exited with error: {how}"),
    ))
}

fn error_object(kind: &str, message: &str) -> String {
    json!({ "errorType": kind, "errorMessage": message }).to_string()
}
