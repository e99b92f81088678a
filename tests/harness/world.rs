//! The world of a test: a desk in memory of its own.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use local::demo;
use local::desk::{Desk, Options};
use local::processes::{ProcessOptions, Processes};
use local_gateway::websocket::WebSocketOptions;
use local_services::{Rights, Services};
use serde_json::Value;
use shared::clock::Clock;
use shared::domain::user::Claims;
use uuid::Uuid;

use crate::PATIENCE;
use crate::person::Person;

/// The queue of jobs for `export_messages`.
pub const EXPORT: &str = "ExportQueue";
/// The dead-letter queue of `export_messages`.
pub const EXPORT_DEAD: &str = "ExportDeadLetters";
/// The queue of jobs for `deliver`.
pub const FANOUT: &str = "FanoutQueue";
/// The queue of jobs for `notify`.
pub const OFFLINE: &str = "OfflineQueue";
/// The dead-letter queue of `deliver`.
pub const FANOUT_DEAD: &str = "FanoutDeadLetters";
/// The dead-letter queue of `notify`.
pub const OFFLINE_DEAD: &str = "OfflineDeadLetters";

/// A desk in memory, and what a test needs to use it.
pub struct World {
    desk: Option<Desk>,
    client: reqwest::Client,
    log: Arc<Mutex<Vec<String>>>,
    /// The number of lines in the log.
    logged: tokio::sync::watch::Receiver<usize>,
    /// Whether jobs may end in the dead-letter queues.
    expects_dead_letters: bool,
    /// The rights in the template; a test may remove some.
    rights: Arc<Rights>,
}

impl World {
    /// A world without rate limits.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// A world with certain settings; rate limits are off unless given.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        Self::with_options(settings, WebSocketOptions::default(), 1).await
    }

    /// A world with settings, gateway options and a number of instances per function.
    pub async fn with_options(
        settings: &[(&str, &str)],
        websocket: WebSocketOptions,
        instances: usize,
    ) -> Self {
        Self::begin(settings, |options| {
            options.websocket = websocket;
            options.instances = instances;
            options.processes = wants_processes().then(processes);
        })
        .await
    }

    /// A world whose routes take no more requests than the template lets them. Elsewhere people ask as fast as they can.
    pub async fn with_throttles() -> Self {
        Self::begin(&[], |options| {
            options.throttles = true;
            options.processes = wants_processes().then(processes);
        })
        .await
    }

    /// A world with certain settings whose functions run in the desk, even if the tests run with processes: for tests
    /// about what one process remembers, or that count calls without those of a process's init.
    pub async fn in_desk(settings: &[(&str, &str)]) -> Self {
        Self::begin(settings, |_| ()).await
    }

    /// A world whose functions are the real binaries, which must have been built.
    pub async fn in_processes(options: ProcessOptions) -> Self {
        Self::begin(&[], |started| started.processes = Some(options)).await
    }

    /// A world with settings, whose desk is set up otherwise than usual.
    async fn begin(settings: &[(&str, &str)], set_up: impl FnOnce(&mut Options)) -> Self {
        let unlimited = [
            "RATE_LIMIT_SENDS_PER_MINUTE",
            "RATE_LIMIT_REQUESTS_PER_MINUTE",
            "RATE_LIMIT_FRAMES_PER_SECOND",
            "RATE_LIMIT_CONNECTS_PER_MINUTE",
            "RATE_LIMIT_RESUMES_PER_MINUTE",
            "RATE_LIMIT_UPLOADS_PER_MINUTE",
        ];
        let unlimited = unlimited.map(|name| (name.to_owned(), "0".to_owned()));
        let mut environment = BTreeMap::from(unlimited);
        // A long-running test would see it repeated; tests that want it trigger it themselves.
        environment.insert("CATCH_UP_SECONDS".to_owned(), "900".to_owned());
        // What a test does within a moment would depend on how long it took.
        environment.insert("LISTENERS_MEMORY_MILLISECONDS".to_owned(), "0".to_owned());
        environment.extend(
            settings
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = Arc::clone(&log);
        let (count, logged) = tokio::sync::watch::channel(0);
        let mut options = Options {
            http_port: 0,
            ws_port: 0,
            s3_port: 0,
            data_dir: None,
            environment,
            clock: Clock::default(),
            sink: Arc::new(move |line| {
                lines.lock().unwrap().push(line.to_owned());
                count.send_modify(|count| *count += 1);
            }),
            websocket: WebSocketOptions::default(),
            instances: 1,
            throttles: false,
            processes: None,
        };
        set_up(&mut options);
        let desk = Desk::start(options).await.expect("the desk starts");
        let rights = desk.services().rights().expect("a desk has rights");
        Self {
            desk: Some(desk),
            rights,
            client: reqwest::Client::new(),
            log,
            logged,
            expects_dead_letters: false,
        }
    }

    /// Declares that jobs of this test end in the dead-letter queues.
    pub fn expect_dead_letters(&mut self) {
        self.expects_dead_letters = true;
    }

    /// The desk.
    pub fn desk(&self) -> &Desk {
        self.desk.as_ref().expect("the desk runs until the story ends")
    }

    /// The embedded services.
    pub fn services(&self) -> &Services {
        self.desk().services()
    }

    /// A new person, who has made one call and so is known to others.
    pub async fn person(&self, username: &str) -> Person {
        let claims = Claims {
            name: Some(format!("{username} the tester")),
            username: Some(username.to_owned()),
            ..Claims::default()
        };
        let person = self.stranger(Uuid::new_v4(), claims);
        person.get("/api/v1/users/me").await.is(200);
        person
    }

    /// People, who have each made one call.
    pub async fn people<const COUNT: usize>(&self, usernames: [&str; COUNT]) -> [Person; COUNT] {
        let people = futures::future::join_all(usernames.iter().map(|username| self.person(username))).await;
        people.try_into().expect("as many people as names")
    }

    /// A person whose token has roles, and who has made one call.
    pub async fn with_roles(&self, username: &str, roles: &[&str]) -> Person {
        let claims = Claims {
            username: Some(username.to_owned()),
            email: Some(format!("{username}@example.com")),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            ..Claims::default()
        };
        let person = self.stranger(Uuid::new_v4(), claims);
        person.get("/api/v1/users/me").await.is(200);
        person
    }

    /// A person who has not made a call yet.
    pub fn stranger(&self, user: Uuid, claims: Claims) -> Person {
        let token = self.token(user, claims, Duration::from_hours(1));
        self.bearer(user, token)
    }

    /// A person with a custom token.
    pub fn bearer(&self, user: Uuid, token: String) -> Person {
        Person::new(
            self.client.clone(),
            self.desk().http_url(),
            self.desk().ws_url(),
            user,
            token,
        )
    }

    /// A token of this world.
    pub fn token(&self, user: Uuid, claims: Claims, lifetime: Duration) -> String {
        demo::token(
            self.desk().secret(),
            user,
            claims,
            self.desk().clock().now(),
            lifetime,
        )
        .expect("a token is made")
    }

    /// The functions' processes, if this world has them.
    pub fn processes(&self) -> &Processes {
        self.desk().processes().expect("functions run as processes")
    }

    /// Advances the clock of functions, tokens and queues. Processes use the clock of the machine, so from then on
    /// functions in the desk take over, on the same table and queues.
    pub fn advance(&self, duration: Duration) {
        if let Some(processes) = self.desk().processes() {
            processes.retire();
        }
        self.desk().advance(duration);
    }

    /// Waits until no job is visible or in progress. Delayed jobs stay; see [`World::bring_offline_forward`].
    pub async fn settled(&self) {
        tokio::time::timeout(PATIENCE, self.services().queues().idle())
            .await
            .expect("the queues come to rest")
            .expect("the queues can be read");
    }

    /// Makes the delayed jobs of `notify` due, and waits until they are done.
    pub async fn bring_offline_forward(&self) {
        self.settled().await;
        self.services()
            .queues()
            .make_visible_now(OFFLINE)
            .expect("the queue is there");
        self.settled().await;
    }

    /// Makes the catch-up jobs of new connections due, and waits until they are done.
    pub async fn caught_up(&self) {
        // A job in progress would be done twice.
        self.settled().await;
        self.services()
            .queues()
            .make_visible_now(FANOUT)
            .expect("the queue is there");
        self.settled().await;
    }

    /// The functions' log lines.
    pub fn log(&self) -> Vec<Value> {
        let lines = self.log.lock().unwrap();
        lines
            .iter()
            .map(|line| serde_json::from_str(line).expect("a log line is JSON"))
            .collect()
    }

    /// Waits until the log has a number of matching lines; returns the last one.
    pub async fn logged(&self, count: usize, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut logged = self.logged.clone();
        tokio::time::timeout(PATIENCE, async {
            loop {
                logged.borrow_and_update();
                let mut found: Vec<Value> = self.log().into_iter().filter(&wanted).collect();
                if found.len() >= count
                    && let Some(last) = found.pop()
                {
                    return last;
                }
                logged.changed().await.expect("the desk runs");
            }
        })
        .await
        .expect("the log line comes")
    }

    /// The log as text.
    pub fn log_text(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    /// Stops the desk, for tests about its end.
    pub async fn stop(mut self) {
        if let Some(desk) = self.desk.take() {
            desk.stop().await;
        }
    }
}

/// Whether all tests run with the real binaries: `TIDINGS_PROCESSES=1`.
pub fn wants_processes() -> bool {
    std::env::var_os("TIDINGS_PROCESSES").is_some_and(|value| value == "1")
}

/// The binaries beside this test, or in the folder `TIDINGS_BINARIES`, and as many processes as a test may need at
/// once.
pub fn processes() -> ProcessOptions {
    let binaries = match std::env::var_os("TIDINGS_BINARIES") {
        // Tests run in the folder of their package.
        Some(folder) => {
            ProcessOptions::in_folder(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder))
        }
        None => ProcessOptions::beside_this_program().expect("the test knows where it is"),
    };
    ProcessOptions {
        most_per_function: 200,
        ..binaries
    }
}

impl Drop for World {
    /// A failed job that a test did not expect is a defect.
    fn drop(&mut self) {
        crate::rights::note(&self.rights);
        if std::thread::panicking() || self.expects_dead_letters {
            return;
        }
        let Some(desk) = &self.desk else { return };
        for queue in [EXPORT_DEAD, FANOUT_DEAD, OFFLINE_DEAD] {
            let depth = desk.services().queues().depth(queue).expect("the queue is there");
            assert_eq!(depth.visible, 0, "jobs ended in {queue}");
        }
    }
}
