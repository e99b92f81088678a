//! Endpoints: a route with its types and handler, and the processing that all requests share.

use std::future::Future;
use std::sync::OnceLock;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A boxed future: it keeps the code of handlers out of the crates of the binaries.
pub use futures::future::BoxFuture;

use super::reply::{Reply, Response};
use super::request::Request;
use super::route::{Method, Route};
use super::{idempotency, input, limit, routes};
use crate::App;
use crate::auth::{Caller, Permit, token};
use crate::domain::permission::{Permission, Right};
use crate::domain::precondition::Preconditions;
use crate::domain::text::ClientMessageId;
use crate::error::{Error, Result};
use crate::examples;
use crate::rights::Rights;
use crate::store::admission::{self, Admitted};
use crate::store::once::Once;
use crate::store::rates::{RateLimit, Standing};

/// A route with its types and its handler. Each is implemented in a file of its own.
pub trait Endpoint: Sized + 'static {
    /// The route.
    const ROUTE: Route;
    /// The rights of its role; by default what identifying the caller needs.
    const RIGHTS: Rights = <Self::Who as Identify>::RIGHTS;
    /// Who makes the request of the example, one of the people of [`examples`].
    const EXAMPLE_CALLER: &'static str = examples::ADA;
    /// Who may call: [`Anyone`], a [`Caller`] with a valid token, or the holder of a [`Permit`].
    type Who: Identify;
    /// The parameters of the path.
    type Path: DeserializeOwned + JsonSchema + Send;
    /// The parameters of the query.
    type Query: DeserializeOwned + JsonSchema + Send;
    /// The body.
    type Body: DeserializeOwned + JsonSchema + Send + 'static;
    /// The body of the answer.
    type Output: Serialize + JsonSchema;

    /// An example request and response, for the API document.
    fn example() -> Example;

    /// Handles a request.
    fn handle(app: &App, call: Call<'_, Self>) -> impl Future<Output = Result<Reply<Self::Output>>> + Send;
}

/// An example request and response.
#[derive(Clone, Debug, Default)]
pub struct Example {
    /// Parameters of the path and the query.
    pub parameters: Value,
    /// The body; null if there is none.
    pub body: Value,
    /// The response body; null if there is none, text if it is not JSON.
    pub answer: Value,
}

/// The kind of caller, as a type.
pub trait Identify: Send + Sync {
    /// Whether no authentication is needed.
    const IS_PUBLIC: bool;
    /// The rights that identifying the caller needs.
    const RIGHTS: Rights;
    /// The permission that the caller's token must have.
    const NEEDS: Option<Permission> = None;

    /// Identifies the caller.
    fn identify(app: &App, request: &Request) -> impl Future<Output = Result<Self>> + Send
    where
        Self: Sized;

    /// The caller, if authenticated.
    fn caller(&self) -> Option<&Caller>;
}

/// No authentication.
#[derive(Clone, Copy, Debug)]
pub struct Anyone;

impl Identify for Anyone {
    const IS_PUBLIC: bool = true;
    const RIGHTS: Rights = Rights::NONE;

    async fn identify(_: &App, _: &Request) -> Result<Self> {
        Ok(Self)
    }

    fn caller(&self) -> Option<&Caller> {
        None
    }
}

impl Identify for Caller {
    const IS_PUBLIC: bool = false;
    const RIGHTS: Rights = Rights::OF_A_ROUTE;

    async fn identify(app: &App, request: &Request) -> Result<Self> {
        token::verify(app, request.bearer()?).await
    }

    fn caller(&self) -> Option<&Caller> {
        Some(self)
    }
}

impl<R: Right> Identify for Permit<R> {
    const IS_PUBLIC: bool = false;
    const RIGHTS: Rights = Caller::RIGHTS;
    const NEEDS: Option<Permission> = Some(R::PERMISSION);

    async fn identify(app: &App, request: &Request) -> Result<Self> {
        Self::of(Caller::identify(app, request).await?)
    }

    fn caller(&self) -> Option<&Caller> {
        Some(Permit::caller(self))
    }
}

/// A valid request to an endpoint.
pub struct Call<'a, E: Endpoint> {
    /// Who is calling.
    pub who: E::Who,
    /// The parameters of the path.
    pub path: E::Path,
    /// The parameters of the query.
    pub query: E::Query,
    /// The body.
    pub body: E::Body,
    /// The `Idempotency-Key`, if the route [accepts](Route::takes_key) one.
    pub key: Option<ClientMessageId>,
    /// The preconditions on the version of the resource.
    pub preconditions: Preconditions,
    /// The raw request, for its headers.
    pub request: &'a Request,
    standing: &'a OnceLock<Standing>,
}

impl<E: Endpoint> Call<'_, E> {
    /// The idempotency record of the request's key, if it has one; `content` is everything that the response depends
    /// on.
    pub fn once(&self, content: &Value) -> Option<Once> {
        let (key, caller) = (self.key.as_ref()?, self.who.caller()?);
        Some(Once::new(caller.user, E::ROUTE.name, key, content))
    }
}

impl<R: Right, E: Endpoint<Who = Permit<R>>> Call<'_, E> {
    /// Proof that the caller has the permission of the route; it was checked before this call existed.
    pub fn permit(&self) -> Permit<R> {
        self.who.clone()
    }
}

impl<E: Endpoint<Who = Caller>> Call<'_, E> {
    /// Checks the rate limits of a send, for a route that [sends](Route::sends). Must be awaited before anything is
    /// written; the store enforces this by requiring the returned value.
    pub fn admit(&self, app: &App) -> impl Future<Output = Result<Admitted>> + Send {
        const {
            assert!(
                E::ROUTE.admits_itself,
                "only a route that sends is admitted by itself"
            );
        }
        admission::send(app, self.who.clone(), self.standing)
    }
}

/// An [`Endpoint`] with its types erased; API documents, tests and the desk use lists of these.
#[derive(Clone, Copy)]
pub struct AnyEndpoint {
    /// The route.
    pub route: Route,
    /// Whether no authentication is needed.
    pub is_public: bool,
    /// An example request and response.
    pub example: fn() -> Example,
    /// Who makes the request of the example.
    pub example_caller: &'static str,
    /// The schema of the path's parameters.
    pub path: fn(&mut SchemaGenerator) -> Schema,
    /// The schema of the query's parameters.
    pub query: fn(&mut SchemaGenerator) -> Schema,
    /// The schema of the body.
    pub body: fn(&mut SchemaGenerator) -> Schema,
    /// The schema of the answer.
    pub output: fn(&mut SchemaGenerator) -> Schema,
    /// Answers a request.
    pub answer: Answer,
}

/// Answers a request; returns the response and the error for the log.
pub type Answer = for<'a> fn(&'a App, &'a Request) -> BoxFuture<'a, (Response, Option<Error>)>;

impl AnyEndpoint {
    /// The methods of each of its paths. Public GET routes (health and documents) also support HEAD (RFC 9110 §9.3.2),
    /// whose body the HTTP server leaves out; other routes do not.
    pub fn methods(&self) -> Vec<&'static str> {
        let own = self.route.method.as_str();
        if self.is_public && self.route.method == Method::Get {
            vec![own, "HEAD"]
        } else {
            vec![own]
        }
    }

    /// Checks that the route has a throttle if it is public.
    ///
    /// # Panics
    /// It has none: see [`Route::throttled`]. In the `static` of a [`Function`](crate::lambda::Function) that is a compile
    /// error.
    #[must_use]
    pub const fn with_throttle(self) -> Self {
        assert!(
            !self.is_public || self.route.throttle.is_some(),
            "a public route has a throttle: Route::throttled"
        );
        self
    }

    /// Erases the types of an endpoint.
    pub const fn of<E: Endpoint>() -> Self {
        Self {
            route: Route {
                needs: <E::Who as Identify>::NEEDS,
                ..E::ROUTE
            },
            is_public: <E::Who as Identify>::IS_PUBLIC,
            example: E::example,
            example_caller: E::EXAMPLE_CALLER,
            path: SchemaGenerator::subschema_for::<E::Path>,
            query: SchemaGenerator::subschema_for::<E::Query>,
            body: SchemaGenerator::subschema_for::<E::Body>,
            output: SchemaGenerator::subschema_for::<E::Output>,
            answer: |app, request| Box::pin(answer::<E>(app, request)),
        }
    }
}

async fn answer<E: Endpoint>(app: &App, request: &Request) -> (Response, Option<Error>) {
    let standing = OnceLock::new();
    let result = run::<E>(app, request, &standing).await;
    let response = match &result {
        Ok(reply) => Response::of_reply(app, request, reply, E::ROUTE.success),
        Err(error) => Response::of_error(app, request, error),
    };
    // 304 is no failure.
    let error = result
        .err()
        .filter(|error| !matches!(error, Error::NotModified { .. }));
    (response.standing(standing.get()), error)
}

async fn run<E: Endpoint>(
    app: &App,
    request: &Request,
    standing: &OnceLock<Standing>,
) -> Result<Reply<E::Output>> {
    let path = input::path(&request.path_parameters);
    // A path segment that is no valid id may belong to another path with other methods, so 405 is possible. This is not
    // secret: unmatched paths are answered in the same way.
    if path.is_err()
        && let Some(methods) = routes::instead_of(request)
    {
        let allow = methods.join(", ");
        return Err(Error::MethodNotAllowed { allow });
    }
    let who = E::Who::identify(app, request).await?;
    let input = path.and_then(|path| read::<E>(request, path));
    if let Some(caller) = who.caller() {
        match &input {
            // The handler checks the limits itself, concurrently with its reads.
            Ok(_) if E::ROUTE.admits_itself => {}
            Ok(_) => admission::request(app, caller, E::ROUTE.rate_limits, standing).await?,
            // An invalid request counts as a request too.
            Err(_) => admission::request(app, caller, &[RateLimit::Requests], standing).await?,
        }
    }
    let (path, query, body, key) = input?;
    let preconditions = Preconditions::new(
        request.header("if-match"),
        request.header("if-none-match"),
        matches!(request.method.as_str(), "GET" | "HEAD"),
    );
    let call = Call {
        who,
        path,
        query,
        body,
        key,
        preconditions: preconditions.clone(),
        request,
        standing,
    };
    let reply = E::handle(app, call).await?;
    if E::ROUTE.is_conditional() && !preconditions.are_settled() {
        return Err(Error::internal(
            "a route of a versioned resource ignores the preconditions",
        ));
    }
    Ok(reply)
}

/// The parsed parts of a request.
type Input<E> = (
    <E as Endpoint>::Path,
    <E as Endpoint>::Query,
    <E as Endpoint>::Body,
    Option<ClientMessageId>,
);

fn read<E: Endpoint>(request: &Request, path: E::Path) -> Result<Input<E>> {
    let query = input::query(&request.query)?;
    let takes_body = std::any::TypeId::of::<E::Body>() != std::any::TypeId::of::<input::Nothing>();
    let is_absent = E::ROUTE.is_body_optional && request.body().is_empty();
    let body = if takes_body && !is_absent {
        input::body(request, || limit::of(SchemaGenerator::subschema_for::<E::Body>))?
    } else {
        input::object(b"{}")?
    };
    let key = idempotency::key(&E::ROUTE, request)?;
    Ok((path, query, body, key))
}
