//! The settings of the functions, read once at start, and nowhere else.

mod secret;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::domain::audit;
use crate::error::Error;

pub use secret::{SECRET_MIN_BYTES, Secret};

/// The maximum delay of an SQS message.
/// Source: AWS, *Amazon SQS delay queues*.
const LONGEST_DELAY: Duration = Duration::from_mins(15);

/// The maximum time for which a process may cache connections.
const LONGEST_MEMORY: Duration = Duration::from_secs(1);

/// The settings, by the names that the environment has for them.
#[derive(Clone)]
pub struct Config {
    /// `AUDIT_BUCKET_NAME`: the anchors of the audit log.
    pub audit_bucket: String,
    /// `AUDIT_SECRET_KEY`: the keys that sign the audit log, separated by spaces, the current one first. Only functions
    /// that write the audit log have it.
    pub audit_keys: Option<audit::Keys>,
    /// `AWS_REGION`: where the services are.
    pub region: String,
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`: set by Lambda from the role.
    pub credentials: (String, String, Option<String>),
    /// `AWS_ENDPOINT_URL_DYNAMODB`, `…_SQS`, `…_S3`, or `AWS_ENDPOINT_URL` for services without their own: other
    /// endpoints of the services, for the desk.
    /// Source: AWS SDKs and Tools, *Service-specific endpoints*.
    pub endpoints: Endpoints,
    /// `TABLE_NAME`: the one table.
    pub table: String,
    /// `BUCKET_NAME`: attachments and exports.
    pub bucket: String,
    /// `EXPORT_PART_ROWS`: after how many messages a part of an export ends. The page of a log that is being read, of
    /// at most 256 entries, is completed.
    pub export_part_rows: u64,
    /// `EXPORT_QUEUE_URL`: jobs for `export_messages`.
    pub export_queue_url: String,
    /// `FANOUT_QUEUE_URL`: jobs for `deliver`.
    pub fanout_queue_url: String,
    /// `OFFLINE_QUEUE_URL`: jobs for `notify`.
    pub offline_queue_url: String,
    /// `WEBSOCKET_ENDPOINT`: the `@connections` address of the WebSocket API.
    pub websocket_endpoint: String,
    /// How tokens are verified.
    pub jwt: Jwt,
    /// `CURSOR_SECRET_KEY`, `CURSOR_SECRET_KEY_PREVIOUS`: sign cursors, sync tokens and socket tickets; only for the
    /// functions that use them.
    cursor_secret: Option<Secret>,
    /// The rate limits.
    pub limits: Limits,
    /// `CREDITS_APPLY_TO`: which messages cost a credit.
    pub credits_apply_to: CreditsApplyTo,
    /// `CREDITS_INITIAL`: the credits of a new user.
    pub credits_initial: u64,
    /// `CATCH_UP_SECONDS`: how long after a connection was opened it is sent what it may have missed, because
    /// eventually consistent reads did not show it yet. AWS says: usually a second or less.
    /// Source: AWS, *DynamoDB read consistency*.
    pub catch_up: Duration,
    /// `LISTENERS_MEMORY_MILLISECONDS`: how long a process caches a user's connections where it would read them with
    /// eventual consistency; 0 switches the cache off. Must be within what `CATCH_UP_SECONDS` makes up for.
    pub listeners_memory: Duration,
    /// `OFFLINE_GRACE_SECONDS`: how long `notify` waits for an absent member to come back.
    pub offline_grace: Duration,
}

/// Other endpoints of the services.
#[derive(Clone, Debug, Default)]
pub struct Endpoints {
    /// Of DynamoDB.
    pub dynamodb: Option<String>,
    /// Of SQS.
    pub sqs: Option<String>,
    /// Of S3.
    pub s3: Option<String>,
    /// `AWS_ENDPOINT_URL_S3_PUBLIC`: where clients reach S3, if different.
    pub s3_public: Option<String>,
}

/// How tokens are verified (contract §1, *Authentication*).
#[derive(Clone, Default)]
pub struct Jwt {
    /// `JWT_SECRET_KEY`, `JWT_SECRET_KEY_PREVIOUS`: for HS256.
    pub secret: Option<Secret>,
    /// `JWT_JWKS_URL`: where the public keys for RS256 and ES256 are.
    pub jwks_url: Option<String>,
    /// `JWT_ISSUER`: the required `iss`.
    pub issuer: Option<String>,
    /// `JWT_AUDIENCE`: the required `aud`.
    pub audience: Option<String>,
}

/// Which messages cost a credit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreditsApplyTo {
    /// Messages of the paid route, `POST /api/v2/messages/send`. Messages through the routes of conversations stay
    /// free, even between the same two people.
    PaidRoutes,
    /// Every message of a direct conversation, through any route.
    DirectMessages,
}

/// The rate limits; 0 switches one off (contract §1, *Rate limits*).
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// `RATE_LIMIT_SENDS_PER_MINUTE`
    pub sends_per_minute: u32,
    /// `RATE_LIMIT_REQUESTS_PER_MINUTE`
    pub requests_per_minute: u32,
    /// `RATE_LIMIT_FRAMES_PER_SECOND`
    pub frames_per_second: u32,
    /// `RATE_LIMIT_CONNECTS_PER_MINUTE`
    pub connects_per_minute: u32,
    /// `RATE_LIMIT_RESUMES_PER_MINUTE`
    pub resumes_per_minute: u32,
    /// `RATE_LIMIT_UPLOADS_PER_MINUTE`
    pub uploads_per_minute: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sends_per_minute: 30,
            requests_per_minute: 100,
            frames_per_second: 10,
            connects_per_minute: 20,
            resumes_per_minute: 60,
            uploads_per_minute: 5,
        }
    }
}

/// Everything that is wrong with the environment.
#[derive(Debug, thiserror::Error)]
#[error("the settings are not complete: {}", .0.join("; "))]
pub struct ConfigError(Vec<String>);

impl Config {
    /// All environment variables of the functions; a test compares them with the templates.
    pub const NAMES: [&str; 22] = [
        "AUDIT_BUCKET_NAME",
        "BUCKET_NAME",
        "CATCH_UP_SECONDS",
        "CREDITS_APPLY_TO",
        "CREDITS_INITIAL",
        "EXPORT_PART_ROWS",
        "EXPORT_QUEUE_URL",
        "FANOUT_QUEUE_URL",
        "JWT_AUDIENCE",
        "JWT_ISSUER",
        "JWT_JWKS_URL",
        "LISTENERS_MEMORY_MILLISECONDS",
        "OFFLINE_GRACE_SECONDS",
        "OFFLINE_QUEUE_URL",
        "RATE_LIMIT_CONNECTS_PER_MINUTE",
        "RATE_LIMIT_FRAMES_PER_SECOND",
        "RATE_LIMIT_REQUESTS_PER_MINUTE",
        "RATE_LIMIT_RESUMES_PER_MINUTE",
        "RATE_LIMIT_SENDS_PER_MINUTE",
        "RATE_LIMIT_UPLOADS_PER_MINUTE",
        "TABLE_NAME",
        "WEBSOCKET_ENDPOINT",
    ];

    /// The secrets, each set only for the functions that use it.
    pub const SECRETS: [&str; 5] = [
        Self::AUDIT_SECRET,
        "CURSOR_SECRET_KEY",
        "CURSOR_SECRET_KEY_PREVIOUS",
        "JWT_SECRET_KEY",
        "JWT_SECRET_KEY_PREVIOUS",
    ];

    /// The keys of the audit log: any number in one text, because its entries are verified for years.
    pub const AUDIT_SECRET: &str = "AUDIT_SECRET_KEY";

    /// Reads the environment of the process.
    pub fn from_environment() -> Result<Self, ConfigError> {
        let environment: BTreeMap<String, String> = std::env::vars().collect();
        Self::from_lookup(|name| environment.get(name).cloned())
    }

    /// Reads the settings through a lookup function; an empty value counts as absent.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut reader = Reader {
            lookup: &lookup,
            problems: Vec::new(),
        };
        let defaults = Limits::default();
        let config = Self {
            audit_bucket: reader.required("AUDIT_BUCKET_NAME"),
            audit_keys: reader.audit_keys(),
            region: reader.required("AWS_REGION"),
            credentials: (
                reader.required("AWS_ACCESS_KEY_ID"),
                reader.required("AWS_SECRET_ACCESS_KEY"),
                reader.optional("AWS_SESSION_TOKEN"),
            ),
            endpoints: Endpoints {
                dynamodb: reader.endpoint("DYNAMODB"),
                sqs: reader.endpoint("SQS"),
                s3: reader.endpoint("S3"),
                s3_public: reader.optional("AWS_ENDPOINT_URL_S3_PUBLIC"),
            },
            table: reader.required("TABLE_NAME"),
            bucket: reader.required("BUCKET_NAME"),
            export_part_rows: reader.number("EXPORT_PART_ROWS", 19_744),
            export_queue_url: reader.required("EXPORT_QUEUE_URL"),
            fanout_queue_url: reader.required("FANOUT_QUEUE_URL"),
            offline_queue_url: reader.required("OFFLINE_QUEUE_URL"),
            websocket_endpoint: reader.required("WEBSOCKET_ENDPOINT"),
            jwt: Jwt {
                secret: reader.secret("JWT_SECRET_KEY"),
                jwks_url: reader.optional("JWT_JWKS_URL"),
                issuer: reader.optional("JWT_ISSUER"),
                audience: reader.optional("JWT_AUDIENCE"),
            },
            cursor_secret: reader.secret("CURSOR_SECRET_KEY"),
            limits: Limits {
                sends_per_minute: reader.number("RATE_LIMIT_SENDS_PER_MINUTE", defaults.sends_per_minute),
                requests_per_minute: reader
                    .number("RATE_LIMIT_REQUESTS_PER_MINUTE", defaults.requests_per_minute),
                frames_per_second: reader.number("RATE_LIMIT_FRAMES_PER_SECOND", defaults.frames_per_second),
                connects_per_minute: reader
                    .number("RATE_LIMIT_CONNECTS_PER_MINUTE", defaults.connects_per_minute),
                resumes_per_minute: reader
                    .number("RATE_LIMIT_RESUMES_PER_MINUTE", defaults.resumes_per_minute),
                uploads_per_minute: reader
                    .number("RATE_LIMIT_UPLOADS_PER_MINUTE", defaults.uploads_per_minute),
            },
            credits_apply_to: reader.credits_apply_to(),
            credits_initial: reader.number("CREDITS_INITIAL", 0),
            catch_up: Duration::from_secs(reader.number("CATCH_UP_SECONDS", 10)),
            listeners_memory: Duration::from_millis(reader.number("LISTENERS_MEMORY_MILLISECONDS", 250)),
            offline_grace: Duration::from_secs(reader.number("OFFLINE_GRACE_SECONDS", 30)),
        };
        let delays = [
            ("CATCH_UP_SECONDS", config.catch_up),
            ("OFFLINE_GRACE_SECONDS", config.offline_grace),
        ];
        for (name, _) in delays.iter().filter(|(_, delay)| *delay > LONGEST_DELAY) {
            let problem = format!("{name} is over 900, the longest delay of SQS");
            reader.problems.push(problem);
        }
        if config.listeners_memory > LONGEST_MEMORY {
            let problem =
                "LISTENERS_MEMORY_MILLISECONDS is over 1000: a new connection would wait for its messages";
            reader.problems.push(problem.to_owned());
        }
        if reader.problems.is_empty() {
            Ok(config)
        } else {
            Err(ConfigError(reader.problems))
        }
    }
}

impl Config {
    /// The secret that signs cursors, sync tokens and socket tickets.
    ///
    /// # Errors
    /// [`Error::Internal`] if this function does not have it.
    pub fn cursor_secret(&self) -> crate::Result<&Secret> {
        let secret = self.cursor_secret.as_ref();
        secret.ok_or_else(|| Error::internal("this function does not have CURSOR_SECRET_KEY"))
    }

    /// Checks that tokens can be verified, for functions that do.
    ///
    /// # Errors
    /// There is neither a shared secret nor an address of published keys.
    pub fn can_verify_tokens(&self) -> Result<(), ConfigError> {
        if self.jwt.secret.is_none() && self.jwt.jwks_url.is_none() {
            let problem = "JWT_SECRET_KEY or JWT_JWKS_URL is missing".to_owned();
            return Err(ConfigError(vec![problem]));
        }
        Ok(())
    }
}

impl fmt::Debug for Config {
    /// Shows the table, but no secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Config")
            .field("table", &self.table)
            .finish_non_exhaustive()
    }
}

/// Collects all errors, so that one start reports them all.
struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    problems: Vec<String>,
}

impl Reader<'_> {
    fn optional(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.is_empty())
    }

    /// The endpoint of a service: its own, or the general one.
    fn endpoint(&self, service: &str) -> Option<String> {
        self.optional(&format!("AWS_ENDPOINT_URL_{service}"))
            .or_else(|| self.optional("AWS_ENDPOINT_URL"))
    }

    fn required(&mut self, name: &str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.problems.push(format!("{name} is missing"));
            String::new()
        })
    }

    fn credits_apply_to(&mut self) -> CreditsApplyTo {
        match self.optional("CREDITS_APPLY_TO").as_deref() {
            None | Some("paid_routes") => CreditsApplyTo::PaidRoutes,
            Some("direct_messages") => CreditsApplyTo::DirectMessages,
            Some(other) => {
                let problem = format!("CREDITS_APPLY_TO is {other} and not paid_routes or direct_messages");
                self.problems.push(problem);
                CreditsApplyTo::PaidRoutes
            }
        }
    }

    fn number<N: FromStr>(&mut self, name: &str, default: N) -> N {
        let Some(value) = self.optional(name) else {
            return default;
        };
        value.parse().unwrap_or_else(|_| {
            self.problems.push(format!("{name} is no whole number: {value}"));
            default
        })
    }

    fn audit_keys(&mut self) -> Option<audit::Keys> {
        let keys = self.optional(Config::AUDIT_SECRET)?;
        let keys = audit::Keys::parse(&keys);
        let problem = |problem: &String| format!("{} {problem}", Config::AUDIT_SECRET);
        self.problems.extend(keys.as_ref().err().map(problem));
        keys.ok()
    }

    fn secret(&mut self, name: &str) -> Option<Secret> {
        let (secret, problems) = Secret::read(name, |name| self.optional(name));
        self.problems.extend(problems);
        secret
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "it stands for a lookup")]
    fn complete(name: &str) -> Option<String> {
        Some(match name {
            "AUDIT_SECRET_KEY" | "JWT_SECRET_KEY" | "CURSOR_SECRET_KEY" => "s".repeat(32),
            "JWT_JWKS_URL" | "JWT_ISSUER" | "JWT_AUDIENCE" => String::new(),
            name if name.ends_with("_PREVIOUS") => String::new(),
            "CREDITS_APPLY_TO" => "direct_messages".to_owned(),
            name if name.starts_with("RATE_LIMIT")
                || matches!(
                    name,
                    "CATCH_UP_SECONDS"
                        | "CREDITS_INITIAL"
                        | "EXPORT_PART_ROWS"
                        | "LISTENERS_MEMORY_MILLISECONDS"
                        | "OFFLINE_GRACE_SECONDS"
                ) =>
            {
                "7".to_owned()
            }
            _ => "x".to_owned(),
        })
    }

    #[test]
    fn nobody_is_remembered_for_longer_than_a_second() {
        for (milliseconds, is_good) in [("0", true), ("1000", true), ("1001", false), ("a while", false)] {
            let config = Config::from_lookup(|name| match name {
                "LISTENERS_MEMORY_MILLISECONDS" => Some(milliseconds.to_owned()),
                name => complete(name),
            });
            assert_eq!(config.is_ok(), is_good, "{milliseconds}");
        }
    }

    #[test]
    fn every_missing_setting_is_named_at_once() {
        let error = Config::from_lookup(|_| None).unwrap_err().to_string();
        for name in ["TABLE_NAME", "FANOUT_QUEUE_URL", "WEBSOCKET_ENDPOINT"] {
            assert!(error.contains(name), "{error}");
        }
        assert!(Config::from_lookup(complete).is_ok());
    }

    #[test]
    fn a_function_without_a_secret_starts_and_cannot_do_what_takes_it() {
        let without = |name: &str| complete(name).filter(|_| !Config::SECRETS.contains(&name));
        let config = Config::from_lookup(without).unwrap();
        assert!(config.cursor_secret().is_err());
        let error = config.can_verify_tokens().unwrap_err().to_string();
        assert!(error.contains("JWT_SECRET_KEY or JWT_JWKS_URL"), "{error}");
    }

    #[test]
    fn an_address_for_all_services_is_that_of_those_without_their_own() {
        let endpoints = |own: Option<&'static str>| {
            let config = Config::from_lookup(|name| match name {
                "AWS_ENDPOINT_URL" => Some("http://127.0.0.1:4566".to_owned()),
                "AWS_ENDPOINT_URL_S3" => own.map(str::to_owned),
                "AWS_ENDPOINT_URL_DYNAMODB" | "AWS_ENDPOINT_URL_SQS" => None,
                name => complete(name),
            });
            let endpoints = config.unwrap().endpoints;
            [endpoints.dynamodb, endpoints.sqs, endpoints.s3].map(Option::unwrap)
        };
        assert_eq!(endpoints(None), ["http://127.0.0.1:4566"; 3]);
        let s3 = "http://127.0.0.1:9000";
        assert_eq!(
            endpoints(Some(s3)),
            ["http://127.0.0.1:4566", "http://127.0.0.1:4566", s3]
        );
    }

    #[test]
    fn a_short_secret_keeps_the_process_from_starting() {
        let short = |name: &str| {
            if name == "JWT_SECRET_KEY" {
                Some("short".to_owned())
            } else {
                complete(name)
            }
        };
        assert!(
            Config::from_lookup(short)
                .unwrap_err()
                .to_string()
                .contains("JWT_SECRET_KEY has 5 bytes")
        );
    }

    proptest! {
        #[test]
        fn any_environment_is_taken_or_refused_in_words(values in proptest::collection::vec(".{0,40}", Config::NAMES.len())) {
            let lookup = |name: &str| {
                let index = Config::NAMES.iter().position(|known| *known == name);
                index.map_or_else(|| complete(name), |index| values.get(index).cloned())
            };
            if let Err(error) = Config::from_lookup(lookup) {
                prop_assert!(error.to_string().contains("the settings are not complete: "));
            }
        }
    }
}
