//! The environment of the functions on the desk: what the template gives them, overridden by that of the process.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use local_gateway::guard::Guard;
use local_gateway::template::{CorsSpec, Resource, Sources, Template, TemplateError};
use local_services::Service;
use shared::config::{Config, ConfigError};

/// The template that the desk runs. It is part of the program, so that the desk and the template it was built
/// with cannot part.
pub const TEMPLATE: &str = include_str!("../../template.yaml");

/// The templates of its nested stacks, by the paths that it has for them.
pub const STACKS: [(&str, &str); 1] = [(
    "stacks/messaging.yaml",
    include_str!("../../stacks/messaging.yaml"),
)];

/// The template of a nested stack.
pub fn stack(url: &str) -> Option<String> {
    let (_, yaml) = STACKS.iter().find(|(path, _)| *path == url)?;
    Some((*yaml).to_owned())
}

/// The secret that signs tokens on a desk that was given none. Anybody can read it here: no deployment has it.
pub const DESK_JWT_SECRET: &str = "tidings-desk-secret-for-tokens-not-for-deployment";
/// The secret that signs cursors on a desk that was given none.
const DESK_CURSOR_SECRET: &str = "tidings-desk-secret-for-cursors-not-for-deployment";
/// The keys of the audit log on a desk that was given none.
pub const DESK_AUDIT_SECRET: &str = "tidings-desk-secret-for-the-audit-log-not-for-deployment";
/// The name on the desk of the bucket for files; in the cloud CloudFormation draws one.
pub const BUCKET: &str = "tidings-desk";
/// That of the bucket for the anchors of the audit log.
pub const AUDIT_BUCKET: &str = "tidings-desk-audit";

/// Settings, by the names that the functions have for them.
pub type Environment = BTreeMap<String, String>;

/// The settings that a process may override, from its environment.
pub fn of_process() -> Environment {
    let known = |name: &str| {
        Config::NAMES.contains(&name) || Config::SECRETS.contains(&name) || name == "ALLOWED_ORIGINS"
    };
    std::env::vars()
        .filter(|(name, value)| known(name) && !value.is_empty())
        .collect()
}

/// The template with the desk's stand-ins for what the cloud would know. A program that starts many desks reads it
/// once for each choice of origins.
pub fn template(overrides: &Environment) -> Result<Template, TemplateError> {
    static KNOWN: Mutex<BTreeMap<Option<String>, Template>> = Mutex::new(BTreeMap::new());
    let origins = overrides.get("ALLOWED_ORIGINS").cloned();
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(template) = known.get(&origins) {
        return Ok(template.clone());
    }
    let template = read(origins.as_deref())?;
    known.insert(origins, template.clone());
    Ok(template)
}

fn read(origins: Option<&str>) -> Result<Template, TemplateError> {
    let parameters = |name: &str| match name {
        "AllowedOrigins" => origins.map(str::to_owned),
        "AWS::Region" => Some("us-east-1".to_owned()),
        _ => None,
    };
    let attributes = |resource: &Resource<'_>, attribute: &str| match (resource.kind, attribute) {
        ("AWS::SQS::Queue", "Ref") => Some(queue_url(resource.name)),
        ("AWS::S3::Bucket", "Ref") => Some(bucket(resource.name).to_owned()),
        ("AWS::S3::Bucket", "Arn") => Some(format!("arn:aws:s3:::{}", bucket(resource.name))),
        _ => None,
    };
    Template::parse(
        TEMPLATE,
        &Sources {
            parameters: &parameters,
            attributes: &attributes,
            templates: &stack,
        },
    )
}

/// What a bucket of the template is called on the desk.
pub(crate) fn bucket(logical_id: &str) -> &'static str {
    match logical_id {
        "AuditBucket" => AUDIT_BUCKET,
        _ => BUCKET,
    }
}

/// Where a queue is on the desk.
fn queue_url(name: &str) -> String {
    format!("{}/000000000000/{name}", Service::Sqs.endpoint())
}

/// Where a function reaches the services.
#[derive(Clone, Debug)]
pub struct Addresses {
    dynamodb: String,
    sqs: String,
    s3: String,
    /// Where clients reach the buckets.
    s3_public: String,
    connections: String,
}

impl Addresses {
    /// Those that mean the services of this process, without a socket; clients need one to the buckets.
    pub fn in_process(s3_public: &str) -> Self {
        let endpoint = |service: Service| service.endpoint().to_owned();
        Self {
            dynamodb: endpoint(Service::DynamoDb),
            sqs: endpoint(Service::Sqs),
            s3: endpoint(Service::S3),
            s3_public: s3_public.to_owned(),
            connections: endpoint(Service::Connections),
        }
    }

    /// All of them at one address, but for that of the buckets for clients.
    pub fn at(address: &str, s3_public: &str) -> Self {
        let address = || address.to_owned();
        Self {
            dynamodb: address(),
            sqs: address(),
            s3: address(),
            s3_public: s3_public.to_owned(),
            connections: address(),
        }
    }
}

/// The environment of one function: the template's, the desk's, and over both what the process was given.
pub fn settings(
    function: &str,
    of_template: &Environment,
    overrides: &Environment,
    addresses: &Addresses,
) -> Environment {
    let of_desk = [
        ("AWS_REGION", "us-east-1"),
        // The services know the caller by its key.
        ("AWS_ACCESS_KEY_ID", function),
        ("AWS_SECRET_ACCESS_KEY", local_services::SECRET_KEY),
        ("AWS_ENDPOINT_URL_DYNAMODB", &addresses.dynamodb),
        ("AWS_ENDPOINT_URL_SQS", &addresses.sqs),
        ("AWS_ENDPOINT_URL_S3", &addresses.s3),
        ("AWS_ENDPOINT_URL_S3_PUBLIC", &addresses.s3_public),
        ("WEBSOCKET_ENDPOINT", &addresses.connections),
        ("AUDIT_SECRET_KEY", DESK_AUDIT_SECRET),
        ("CURSOR_SECRET_KEY", DESK_CURSOR_SECRET),
        // Enough to try things, and few enough to see them end.
        ("CREDITS_INITIAL", "100"),
    ];
    // A secret that the template does not give a function, it does not have here either.
    let is_given = |name: &str| !Config::SECRETS.contains(&name) || of_template.contains_key(name);
    let mut settings = of_template.clone();
    let of_desk = of_desk.into_iter().filter(|(name, _)| is_given(name));
    settings.extend(of_desk.map(|(name, value)| (name.to_owned(), value.to_owned())));
    if is_given("JWT_SECRET_KEY") {
        // Empty, not absent: the template names the secret of a deployment.
        settings.insert(
            "JWT_SECRET_KEY".to_owned(),
            jwt_secret(overrides).unwrap_or_default(),
        );
    }
    let is_known = |name: &str| Config::NAMES.contains(&name) || Config::SECRETS.contains(&name);
    let known = overrides
        .iter()
        .filter(|(name, _)| is_known(name) && is_given(name));
    settings.extend(known.map(|(name, value)| (name.clone(), value.clone())));
    settings
}

/// The settings of one function that runs in this process.
pub fn config(
    function: &str,
    of_template: &Environment,
    overrides: &Environment,
    s3_public: &str,
) -> Result<Config, ConfigError> {
    let addresses = Addresses::in_process(s3_public);
    let settings = settings(function, of_template, overrides, &addresses);
    Config::from_lookup(|name| settings.get(name).cloned())
}

/// The secret that signs tokens here: the one that was given, or the desk's own. None where an issuer signs
/// (`JWT_JWKS_URL`), because what the desk's own secret signs anybody could have signed.
pub fn jwt_secret(overrides: &Environment) -> Option<String> {
    let is_set = |name: &str| overrides.get(name).is_some_and(|value| !value.is_empty());
    match overrides.get("JWT_SECRET_KEY") {
        Some(secret) => Some(secret.clone()),
        None if is_set("JWT_JWKS_URL") => None,
        None => Some(DESK_JWT_SECRET.to_owned()),
    }
}

/// Whom the gateways answer. Where the secret is public, a page that reached the desk could make itself a token for
/// anybody, so only pages of this machine and of the allowed origins reach it.
pub fn guard(overrides: &Environment, cors: Option<&CorsSpec>) -> Guard {
    if jwt_secret(overrides).as_deref() == Some(DESK_JWT_SECRET) {
        Guard::loopback(cors.map(|cors| cors.allow_origins.clone()).unwrap_or_default())
    } else {
        Guard::open()
    }
}
