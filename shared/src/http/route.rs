//! The declaration of a route as data: API documents, template, tests and the runner all read the same constant.

use super::tag::Tag;
use super::throttle::Throttle;
use crate::domain::user::Permission;
use crate::store::admission;
use crate::store::rates::RateLimit;

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates.
    Post,
    /// Replaces.
    Put,
    /// Changes.
    Patch,
    /// Removes.
    Delete,
}

impl Method {
    /// The method as HTTP writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// How a route treats the header `Idempotency-Key` (contract §1 *Idempotency*).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotency {
    /// Ignored: the method itself is idempotent (RFC 9110 §9.2.2).
    OfMethod,
    /// Honoured: it creates one thing for all requests with a key, and returns the first response again.
    Taken,
    /// Accepted without effect: the route is idempotent anyway.
    Harmless,
    /// Refused with 422: a repeat would do more, and the key could not prevent it.
    Refused,
}

/// A route.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a statement of its own about the route"
)]
pub struct Route {
    /// `<verb>_<noun>`, the same in the module, the binary, the template and the API document.
    pub name: &'static str,
    /// The method.
    pub method: Method,
    /// The path, with parameters in braces.
    pub path: &'static str,
    /// The status of a successful response.
    pub success: u16,
    /// Another success status, for a route that may find what it would otherwise create.
    pub also: Option<u16>,
    /// The rate limits that a valid request is counted against.
    pub rate_limits: &'static [RateLimit],
    /// How many requests it accepts from all clients together. A public route has one
    /// ([`AnyEndpoint::with_throttle`](super::AnyEndpoint::with_throttle)).
    pub throttle: Option<Throttle>,
    /// Whether the handler checks the rate limits itself, concurrently with its reads, instead of the runner.
    pub admits_itself: bool,
    /// Whether the body may be absent, as if it were an empty object: the parameters may be in the query.
    pub is_body_optional: bool,
    /// Whether its resource has a version (`ETag`), to which `If-Match` and `If-None-Match` apply.
    pub is_versioned: bool,
    /// How it treats the header `Idempotency-Key`.
    pub idempotency: Idempotency,
    /// The permission that the caller's token must have. Set from the endpoint's type of caller
    /// ([`super::endpoint::Identify::NEEDS`]).
    pub needs: Option<Permission>,
    /// Whether only members of the conversation in its path may use it; others get 404.
    pub is_for_members: bool,
    /// The section of the API document.
    pub tag: Tag,
    /// One line for the API document.
    pub summary: &'static str,
    /// What the summary and the types do not say, as Markdown for the API document; empty if there is nothing to add.
    pub description: &'static str,
    /// Error statuses in addition to those that follow from its types and fields: 401 and 429 for authenticated
    /// callers, 403 for a permission, 404 for an id in the path, 400, 413, 415 and 422 for a body, 422 for a query, 412
    /// for a version; 500 and 503 always.
    pub refusals: &'static [u16],
}

impl Route {
    const fn new(
        tag: Tag,
        name: &'static str,
        method: Method,
        path: &'static str,
        success: u16,
        summary: &'static str,
    ) -> Self {
        let rate_limits = &[RateLimit::Requests];
        Self {
            name,
            method,
            path,
            success,
            also: None,
            rate_limits,
            throttle: None,
            admits_itself: false,
            is_body_optional: false,
            is_versioned: false,
            idempotency: match method {
                // Unless the route says otherwise.
                Method::Post | Method::Patch => Idempotency::Refused,
                Method::Get | Method::Put | Method::Delete => Idempotency::OfMethod,
            },
            needs: None,
            is_for_members: false,
            tag,
            summary,
            description: "",
            refusals: &[],
        }
    }

    /// Reads: 200.
    pub const fn get(tag: Tag, name: &'static str, path: &'static str, summary: &'static str) -> Self {
        Self::new(tag, name, Method::Get, path, 200, summary)
    }

    /// Creates: 201.
    pub const fn post(tag: Tag, name: &'static str, path: &'static str, summary: &'static str) -> Self {
        Self::new(tag, name, Method::Post, path, 201, summary)
    }

    /// Replaces: 200.
    pub const fn put(tag: Tag, name: &'static str, path: &'static str, summary: &'static str) -> Self {
        Self::new(tag, name, Method::Put, path, 200, summary)
    }

    /// Changes: 200.
    pub const fn patch(tag: Tag, name: &'static str, path: &'static str, summary: &'static str) -> Self {
        Self::new(tag, name, Method::Patch, path, 200, summary)
    }

    /// Removes: 204.
    pub const fn delete(tag: Tag, name: &'static str, path: &'static str, summary: &'static str) -> Self {
        Self::new(tag, name, Method::Delete, path, 204, summary)
    }

    /// Sets another success status than the method's default.
    #[must_use]
    pub const fn answers(mut self, status: u16) -> Self {
        self.success = status;
        self
    }

    /// Only for members of the conversation in the path: others get 404.
    #[must_use]
    pub const fn for_members(mut self) -> Self {
        self.is_for_members = true;
        self
    }

    /// Sets the description for the API document, as Markdown.
    #[must_use]
    pub const fn described(mut self, description: &'static str) -> Self {
        self.description = description;
        self
    }

    /// Adds error statuses that do not follow from the rest of the declaration.
    #[must_use]
    pub const fn refuses(mut self, statuses: &'static [u16]) -> Self {
        self.refusals = statuses;
        self
    }

    /// Accepts its parameters in the query too, so that no body is needed.
    #[must_use]
    pub const fn body_may_be_absent(mut self) -> Self {
        self.is_body_optional = true;
        self
    }

    /// Declares that its resource has a version: see [`crate::domain::precondition`].
    #[must_use]
    pub const fn versioned(mut self) -> Self {
        self.is_versioned = true;
        self
    }

    /// Limits the requests of all clients together.
    #[must_use]
    pub const fn throttled(mut self, throttle: Throttle) -> Self {
        self.throttle = Some(throttle);
        self
    }

    /// Whether it evaluates preconditions. A POST does not: it creates another resource than the one it is sent to.
    pub fn is_conditional(&self) -> bool {
        self.is_versioned && self.method != Method::Post
    }

    /// Adds a second success status.
    #[must_use]
    pub const fn also(mut self, status: u16) -> Self {
        self.also = Some(status);
        self
    }

    /// Creates one thing for all requests with the same `Idempotency-Key`: see [`super::Call::once`].
    #[must_use]
    pub const fn takes_key(mut self) -> Self {
        self.idempotency = Idempotency::Taken;
        self
    }

    /// Creates nothing, and is idempotent.
    #[must_use]
    pub const fn repeats_harmlessly(mut self) -> Self {
        self.idempotency = Idempotency::Harmless;
        self
    }

    /// A send: also counted against the rate limit of sends. The handler checks the limits itself, concurrently with
    /// its reads.
    #[must_use]
    pub const fn sends(mut self) -> Self {
        self.rate_limits = admission::SEND;
        self.admits_itself = true;
        self.takes_key()
    }

    /// The start of an upload: also counted against the rate limit of uploads.
    #[must_use]
    pub const fn uploads(mut self) -> Self {
        self.rate_limits = &[RateLimit::Requests, RateLimit::Uploads];
        self
    }

    /// Every path of the route: those under `/api/conversations` also exist under `/api/v1/conversations`, with the
    /// envelope (contract §1).
    pub fn paths(&self) -> Vec<String> {
        let mut paths = vec![self.path.to_owned()];
        if let Some(rest) = self.path.strip_prefix("/api/conversations") {
            paths.push(format!("/api/v1/conversations{rest}"));
        }
        paths
    }

    /// The name of the binary and of the event file.
    pub fn binary(&self) -> String {
        self.name.replace('_', "-")
    }

    /// Whether the responses of a path have the envelope `{success, data, error}`.
    pub fn is_enveloped(path: &str) -> bool {
        path.starts_with("/api/v1/")
    }
}
