//! The AWS SDK clients of a process, which share one connection pool.
//!
//! Every function calls the table. The other clients are created on first use, in init by the functions that declare
//! the right ([`crate::rights::Rights`]): creating one loads some hundred KiB of its code from disk, which most
//! functions do not need.

mod conflicts;
mod failure;
mod retries;

pub(crate) use conflicts::CONFLICT;
pub(crate) use failure::failed;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_runtime::user_agent::UserAgentInterceptor;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::{SharedHttpClient, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::interceptors::context::BeforeSerializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, disable_interceptor, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::region::Region;

use crate::config::Config;

/// The timeout of a call to a service, retries included. A write cannot take effect later than this after it began,
/// which the margin of sync tokens ([`crate::store::sync`]) relies on.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// The timeout of one attempt.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);
/// The timeout of connecting, per attempt.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// A client that is created on first use.
type Lazily<Client> = LazyLock<Client, Box<dyn FnOnce() -> Client + Send>>;

/// The clients. Creating them sends nothing.
pub(crate) struct Clients {
    /// The table.
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    /// The queues.
    pub(crate) sqs: Lazily<aws_sdk_sqs::Client>,
    /// The bucket.
    pub(crate) s3: Lazily<aws_sdk_s3::Client>,
    /// Sends nothing: it signs links for clients.
    pub(crate) presigner: Lazily<aws_sdk_s3::Client>,
    /// The live connections.
    pub(crate) connections: Lazily<aws_sdk_apigatewaymanagement::Client>,
}

/// The common configuration of all clients.
struct Common {
    config: Config,
    credentials: Credentials,
    region: Region,
    timeouts: TimeoutConfig,
    http: SharedHttpClient,
}

/// The beginning of a client's configuration, which is common to all.
macro_rules! begun {
    ($sdk:ident, $common:expr, $endpoint:expr) => {{
        let mut builder = $sdk::Config::builder()
            .behavior_version($sdk::config::BehaviorVersion::latest())
            .region($common.region.clone())
            .credentials_provider($common.credentials.clone())
            .http_client($common.http.clone())
            .retry_config(retries::schedule())
            .retry_partition(retries::budget())
            .timeout_config($common.timeouts.clone())
            .interceptor(WithoutUserAgent);
        builder.set_endpoint_url($endpoint);
        builder
    }};
}

impl Clients {
    pub(crate) fn new(config: &Config, connector: &SharedHttpConnector) -> Self {
        let (key, secret, session) = config.credentials.clone();
        let credentials = Credentials::new(key, secret, session, None, "environment");
        let connector = connector.clone();
        let common = Arc::new(Common {
            credentials,
            region: Region::new(config.region.clone()),
            timeouts: TimeoutConfig::builder()
                .operation_attempt_timeout(ATTEMPT_TIMEOUT)
                .operation_timeout(CALL_TIMEOUT)
                .build(),
            // The same for all: connect timeouts are set on the connector.
            http: http_client_fn(move |_, _| connector.clone()),
            config: config.clone(),
        });
        Self {
            dynamodb: dynamodb(&common),
            sqs: lazily(&common, sqs),
            s3: lazily(&common, |common| {
                s3(common, common.config.endpoints.s3.as_deref())
            }),
            presigner: lazily(&common, |common| {
                let endpoints = &common.config.endpoints;
                s3(common, endpoints.s3_public.as_deref().or(endpoints.s3.as_deref()))
            }),
            connections: lazily(&common, connections),
        }
    }
}

fn lazily<Client: 'static>(
    common: &Arc<Common>,
    make: impl FnOnce(&Common) -> Client + Send + 'static,
) -> Lazily<Client> {
    let common = Arc::clone(common);
    LazyLock::new(Box::new(move || make(&common)))
}

fn dynamodb(common: &Common) -> aws_sdk_dynamodb::Client {
    let endpoint = common.config.endpoints.dynamodb.clone();
    let config = begun!(aws_sdk_dynamodb, common, endpoint)
        .retry_classifier(conflicts::Conflicts)
        .stalled_stream_protection(unguarded());
    aws_sdk_dynamodb::Client::from_conf(config.build())
}

fn sqs(common: &Common) -> aws_sdk_sqs::Client {
    let endpoint = common.config.endpoints.sqs.clone();
    let config = begun!(aws_sdk_sqs, common, endpoint).stalled_stream_protection(unguarded());
    aws_sdk_sqs::Client::from_conf(config.build())
}

fn s3(common: &Common, endpoint: Option<&str>) -> aws_sdk_s3::Client {
    let config = begun!(aws_sdk_s3, common, endpoint.map(str::to_owned))
        .force_path_style(common.config.endpoints.s3.is_some());
    aws_sdk_s3::Client::from_conf(config.build())
}

fn connections(common: &Common) -> aws_sdk_apigatewaymanagement::Client {
    let endpoint = Some(common.config.websocket_endpoint.clone());
    let config =
        begun!(aws_sdk_apigatewaymanagement, common, endpoint).stalled_stream_protection(unguarded());
    aws_sdk_apigatewaymanagement::Client::from_conf(config.build())
}

/// Stalled stream protection is meant for large bodies, and needs a timer per call. The responses of the other services
/// are small, and the attempt timeout covers them.
fn unguarded() -> StalledStreamProtectionConfig {
    StalledStreamProtectionConfig::disabled()
}

/// Removes the two headers that describe the SDK to AWS. They are built and signed for each call, which takes a
/// twentieth of its CPU time, and have no effect.
#[derive(Debug)]
struct WithoutUserAgent;

#[dyn_dispatch_hint]
impl Intercept for WithoutUserAgent {
    fn name(&self) -> &'static str {
        "WithoutUserAgent"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let disabled = disable_interceptor::<UserAgentInterceptor>("it costs and decides nothing");
        config.interceptor_state().store_put(disabled);
        Ok(())
    }
}
