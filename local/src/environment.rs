//! The environment variables of the functions on the desk: the template's, overridden by those of the process.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use local_gateway::guard::Guard;
use local_gateway::template::{CorsSpec, Resource, Sources, Template, TemplateError};
use local_services::Service;
use shared::config::{Config, ConfigError};

use crate::stacks::STACKS;

/// The template that the desk runs. It is compiled in, so that program and template always match.
pub const TEMPLATE: &str = include_str!("../../template.yaml");

/// The template of a nested stack.
pub fn stack(url: &str) -> Option<String> {
    let (_, yaml) = STACKS.iter().find(|(path, _)| *path == url)?;
    Some((*yaml).to_owned())
}

/// The token secret of a desk without its own. It is public, since it is in the source: no deployment uses it.
pub const DESK_JWT_SECRET: &str = "tidings-desk-secret-for-tokens-not-for-deployment";
/// The cursor secret of a desk without its own.
const DESK_CURSOR_SECRET: &str = "tidings-desk-secret-for-cursors-not-for-deployment";
/// The audit keys of a desk without its own.
pub const DESK_AUDIT_SECRET: &str = "tidings-desk-secret-for-the-audit-log-not-for-deployment";
/// The desk's name of the file bucket; in the cloud CloudFormation generates one.
pub const BUCKET: &str = "tidings-desk";
/// The desk's name of the anchor bucket.
pub const AUDIT_BUCKET: &str = "tidings-desk-audit";

/// Environment variables by name.
pub type Environment = BTreeMap<String, String>;

/// The variables that the process may override.
pub fn of_process() -> Environment {
    let known = |name: &str| {
        Config::NAMES.contains(&name) || Config::SECRETS.contains(&name) || name == "ALLOWED_ORIGINS"
    };
    std::env::vars()
        .filter(|(name, value)| known(name) && !value.is_empty())
        .collect()
}

/// The template with the desk's replacements for values that only the cloud knows. A program that starts many desks
/// parses it once per set of origins.
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

/// The desk's name of a bucket.
pub(crate) fn bucket(logical_id: &str) -> &'static str {
    match logical_id {
        "AuditBucket" => AUDIT_BUCKET,
        _ => BUCKET,
    }
}

/// The URL of a queue.
fn queue_url(name: &str) -> String {
    format!("{}/000000000000/{name}", Service::Sqs.endpoint())
}

/// The addresses of the services for a function.
#[derive(Clone, Debug)]
pub struct Addresses {
    dynamodb: String,
    sqs: String,
    s3: String,
    /// The address of the buckets for clients.
    s3_public: String,
    connections: String,
}

impl Addresses {
    /// The addresses of the services in this process, which need no socket; clients need one for the buckets.
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

    /// All services at one address, except the buckets for clients.
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

/// The environment of one function: the template's, the desk's, and those of the process over both.
pub fn settings(
    function: &str,
    of_template: &Environment,
    overrides: &Environment,
    addresses: &Addresses,
) -> Environment {
    let of_desk = [
        ("AWS_REGION", "us-east-1"),
        // The services identify the caller by its key.
        ("AWS_ACCESS_KEY_ID", function),
        ("AWS_SECRET_ACCESS_KEY", local_services::SECRET_KEY),
        ("AWS_ENDPOINT_URL_DYNAMODB", &addresses.dynamodb),
        ("AWS_ENDPOINT_URL_SQS", &addresses.sqs),
        ("AWS_ENDPOINT_URL_S3", &addresses.s3),
        ("AWS_ENDPOINT_URL_S3_PUBLIC", &addresses.s3_public),
        ("WEBSOCKET_ENDPOINT", &addresses.connections),
        ("AUDIT_SECRET_KEY", DESK_AUDIT_SECRET),
        ("CURSOR_SECRET_KEY", DESK_CURSOR_SECRET),
        // Enough to try things, and few enough to run out.
        ("CREDITS_INITIAL", "100"),
    ];
    // A secret that the template does not give to a function is not given here either.
    let is_given = |name: &str| !Config::SECRETS.contains(&name) || of_template.contains_key(name);
    let mut settings = of_template.clone();
    let of_desk = of_desk.into_iter().filter(|(name, _)| is_given(name));
    settings.extend(of_desk.map(|(name, value)| (name.to_owned(), value.to_owned())));
    if is_given("JWT_SECRET_KEY") {
        // Empty rather than absent: the template refers to a deployment's secret.
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

/// The settings of one function in this process.
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

/// The secret that signs tokens: a given one, or the desk's default. None if an issuer signs (`JWT_JWKS_URL`), because
/// anybody could sign with the default.
pub fn jwt_secret(overrides: &Environment) -> Option<String> {
    let is_set = |name: &str| overrides.get(name).is_some_and(|value| !value.is_empty());
    match overrides.get("JWT_SECRET_KEY") {
        Some(secret) => Some(secret.clone()),
        None if is_set("JWT_JWKS_URL") => None,
        None => Some(DESK_JWT_SECRET.to_owned()),
    }
}

/// Which clients the gateways accept. With a public secret, any page that reaches the desk could create tokens for
/// anybody, so only pages of this machine and of the allowed origins are accepted.
pub fn guard(overrides: &Environment, cors: Option<&CorsSpec>) -> Guard {
    let previous = overrides.get("JWT_SECRET_KEY_PREVIOUS").cloned();
    if [jwt_secret(overrides), previous].contains(&Some(DESK_JWT_SECRET.to_owned())) {
        Guard::loopback(cors.map(|cors| cors.allow_origins.clone()).unwrap_or_default())
    } else {
        Guard::open()
    }
}
