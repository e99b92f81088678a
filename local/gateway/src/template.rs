//! `template.yaml` as plain structs: what the desk has to know of a SAM template, and nothing else.
//!
//! Parameters take their defaults unless they are overridden; `!Ref`, `!Sub`, `!GetAtt`, `!Join`, `!If` and their
//! like are resolved, with local stand-ins for what only AWS could know. Unknown resource types are ignored; a
//! resource that cannot be read is an error that names it.

mod data;
mod functions;
mod intrinsics;
mod nested;
mod openapi;
mod policies;
mod resolve;
mod resource;
#[cfg(test)]
mod tests;
mod websocket;

use std::collections::BTreeMap;

use serde_json::Value;

pub use resource::Resource;

/// What the desk reads from a template.
#[derive(Debug, Clone)]
pub struct Template {
    /// The functions, in the order of the file.
    pub functions: Vec<FunctionSpec>,
    /// The HTTP API.
    pub http: HttpApiSpec,
    /// The WebSocket API.
    pub websocket: WebSocketApiSpec,
    /// The queues, dead-letter queues included.
    pub queues: Vec<QueueSpec>,
    /// The tables.
    pub tables: Vec<TableSpec>,
    /// The buckets.
    pub buckets: Vec<BucketSpec>,
    /// Which function works off which queue.
    pub mappings: Vec<QueueMapping>,
    /// Which function runs on which schedule.
    pub schedules: Vec<Schedule>,
}

/// An `AWS::Serverless::Function`, `Globals` merged in.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionSpec {
    /// Its name in the template; the desk calls it by this.
    pub logical_id: String,
    /// The binary: the last segment of `CodeUri`, as in `target/lambda/send-message/`.
    pub binary: String,
    /// How long an invocation may take. SAM's default is 3.
    pub timeout_seconds: u64,
    /// The memory that it is given. SAM's default is 128.
    pub memory_mb: u64,
    /// Its environment, resolved.
    pub environment: BTreeMap<String, String>,
    /// What its role allows and denies.
    pub statements: Vec<Statement>,
}

/// A statement of a function's role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Whether it allows or denies.
    pub allows: bool,
    /// Actions, such as `dynamodb:GetItem`.
    pub actions: Vec<String>,
    /// ARNs.
    pub resources: Vec<String>,
    /// What the partition keys of items are to be like: patterns of the condition `dynamodb:LeadingKeys`. None for any.
    pub leading_keys: Vec<String>,
}

/// The `AWS::Serverless::HttpApi`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HttpApiSpec {
    /// Its routes, without `$default`.
    pub routes: Vec<HttpRoute>,
    /// The logical id of the function behind `$default`.
    pub default_function: Option<String>,
    /// What `$default` takes, if it has settings of its own.
    pub default_throttle: Option<ThrottleSpec>,
    /// Its `CorsConfiguration`.
    pub cors: Option<CorsSpec>,
}

/// A route of an HTTP API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRoute {
    /// `GET`, `POST`, … or `ANY`.
    pub method: String,
    /// `/pets/{id}`, or with a greedy end `/files/{proxy+}`.
    pub path: String,
    /// The logical id of the function behind it.
    pub function: String,
    /// The integration's own timeout, if it has one.
    pub timeout_milliseconds: Option<u64>,
    /// What it takes, if it has settings of its own. Those of the whole API are not read: they leave room for thousands
    /// of requests a second.
    pub throttle: Option<ThrottleSpec>,
}

/// The throttle of a route, from the `RouteSettings` of an HTTP API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThrottleSpec {
    /// Requests per second.
    pub rate: u64,
    /// Requests at once.
    pub burst: u64,
}

impl HttpApiSpec {
    /// The same API, whose routes take any number of requests.
    #[must_use]
    pub fn without_throttles(mut self) -> Self {
        self.default_throttle = None;
        for route in &mut self.routes {
            route.throttle = None;
        }
        self
    }
}

/// A `CorsConfiguration`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CorsSpec {
    /// Origins by name, or `*`.
    pub allow_origins: Vec<String>,
    /// Methods by name, or `*`.
    pub allow_methods: Vec<String>,
    /// Request headers by name, or `*`.
    pub allow_headers: Vec<String>,
    /// Response headers that scripts may read.
    pub expose_headers: Vec<String>,
    /// Whether credentials may be sent along.
    pub allow_credentials: bool,
    /// How long a preflight answer holds.
    pub max_age_seconds: Option<u64>,
}

/// The `AWS::ApiGatewayV2::Api` of protocol `WEBSOCKET`, with its routes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebSocketApiSpec {
    /// Its ARN with that of its stage, as rights to `@connections` name it.
    pub arn: String,
    /// Its `RouteSelectionExpression`, such as `$request.body.type`.
    pub route_selection: String,
    /// The name of its stage.
    pub stage: String,
    /// Its routes by key, `$connect`, `$disconnect` and `$default` among them.
    pub routes: BTreeMap<String, WebSocketRoute>,
}

/// A route of a WebSocket API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebSocketRoute {
    /// What answers it.
    pub integration: Integration,
    /// Who decides about connections; stands on `$connect` only.
    pub authorizer: Option<AuthorizerSpec>,
    /// Whether the integration's answer goes back to the client: true if the route has both a
    /// `RouteResponseSelectionExpression` and an `AWS::ApiGatewayV2::RouteResponse`, as AWS requires.
    pub responds: bool,
}

/// What answers a WebSocket route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Integration {
    /// The function of that logical id.
    Function(String),
    /// The gateway itself, with a fixed text: the response template, without its language.
    Mock {
        /// The text, if there is one.
        reply: Option<String>,
    },
}

/// An `AWS::ApiGatewayV2::Authorizer` of type `REQUEST`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizerSpec {
    /// The logical id of the function that decides.
    pub function: String,
    /// What a request must have to be worth asking, such as `route.request.querystring.token`.
    pub identity_sources: Vec<String>,
}

/// An `AWS::SQS::Queue`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSpec {
    /// Its name in the template.
    pub logical_id: String,
    /// Its `QueueName`, or the logical id.
    pub name: String,
    /// How long a received message stays hidden. The default of SQS is 30.
    pub visibility_timeout_seconds: u64,
    /// How long a message waits before it can be received.
    pub delay_seconds: u64,
    /// How long a message is kept. The default of SQS is four days.
    pub retention_seconds: u64,
    /// Whether it is a FIFO queue.
    pub fifo: bool,
    /// Where messages go that nobody could handle.
    pub redrive: Option<Redrive>,
}

/// A `RedrivePolicy`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redrive {
    /// The logical id of the dead-letter queue.
    pub dead_letter_queue: String,
    /// How often a message is received before it goes there.
    pub max_receive_count: u64,
}

/// An `AWS::DynamoDB::Table`.
#[derive(Debug, Clone, PartialEq)]
pub struct TableSpec {
    /// Its name in the template.
    pub logical_id: String,
    /// Its `TableName`, or the logical id.
    pub name: String,
    /// The body of the `CreateTable` request that makes it.
    pub create_table: Value,
    /// The attribute that holds an item's expiry, if time to live is on.
    pub ttl_attribute: Option<String>,
}

/// An `AWS::S3::Bucket`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketSpec {
    /// Its name in the template.
    pub logical_id: String,
    /// Its `BucketName`, or the logical id.
    pub name: String,
    /// Its rules for pages of other origins; the first that fits decides.
    pub cors: Vec<CorsSpec>,
    /// Whether its objects are under Object Lock.
    pub is_locked: bool,
}

/// A function's event of type `SQS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueMapping {
    /// The logical id of the function.
    pub function: String,
    /// The logical id of the queue.
    pub queue: String,
    /// The most messages that one invocation gets. The default of Lambda is 10.
    pub batch_size: u64,
    /// How long to wait for a batch to fill.
    pub window_seconds: u64,
    /// Whether a failed message leaves the others of its batch alone.
    pub reports_batch_item_failures: bool,
    /// The most invocations at the same time, if limited.
    pub maximum_concurrency: Option<u64>,
}

/// A function's event of type `Schedule` or `ScheduleV2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The logical id that SAM gives it: the function's, and the event's after it.
    pub logical_id: String,
    /// The logical id of the function.
    pub function: String,
    /// The expression, such as `rate(5 minutes)`.
    pub expression: String,
    /// The event that the function gets, if one is given.
    pub input: Option<String>,
    /// Whether it runs: its `State` is not `DISABLED`.
    pub is_enabled: bool,
}

/// A template that cannot be read, and which resource is to blame.
#[derive(Debug, thiserror::Error)]
#[error("{}{message}", .resource.as_ref().map(|name| format!("resource {name}: ")).unwrap_or_default())]
pub struct TemplateError {
    /// The logical id of the resource, unless the fault is elsewhere.
    pub resource: Option<String>,
    /// What is wrong.
    pub message: String,
}

/// Where values come from that the template does not hold.
pub struct Sources<'a> {
    /// A parameter's value by name, before its default; also pseudo parameters such as `AWS::Region`.
    pub parameters: &'a dyn Fn(&str) -> Option<String>,
    /// An attribute of a resource, before the stand-in; `Ref` is the attribute of `!Ref`.
    pub attributes: &'a dyn Fn(&Resource<'_>, &str) -> Option<String>,
    /// A nested stack's template, by its `TemplateURL`.
    pub templates: &'a dyn Fn(&str) -> Option<String>,
}

impl Template {
    /// Reads a template.
    pub fn parse(yaml: &str, sources: &Sources<'_>) -> Result<Self, TemplateError> {
        let raw: serde_yaml_ng::Value = serde_yaml_ng::from_str(yaml).map_err(|error| TemplateError {
            resource: None,
            message: error.to_string(),
        })?;
        let document = resolve::Document::new(&raw, sources)?;
        let mut http = openapi::http_api(&document)?;
        let (mut mappings, mut schedules) = (Vec::new(), Vec::new());
        let functions = functions::functions(&document)?;
        for event in functions::events(&document)? {
            match event {
                functions::Event::Http(route) => http.routes.push(route),
                functions::Event::HttpDefault(function) => http.default_function = Some(function),
                functions::Event::Queue(mapping) => mappings.push(mapping),
                functions::Event::Schedule(schedule) => schedules.push(schedule),
            }
        }
        Ok(Self {
            functions,
            http,
            websocket: websocket::websocket_api(&document)?,
            queues: data::queues(&document)?,
            tables: data::tables(&document)?,
            buckets: data::buckets(&document)?,
            mappings,
            schedules,
        })
    }

    /// Returns the function of that logical id.
    pub fn function(&self, logical_id: &str) -> Option<&FunctionSpec> {
        self.functions
            .iter()
            .find(|function| function.logical_id == logical_id)
    }

    /// Returns the queue of that logical id.
    pub fn queue(&self, logical_id: &str) -> Option<&QueueSpec> {
        self.queues.iter().find(|queue| queue.logical_id == logical_id)
    }
}
