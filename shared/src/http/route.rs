//! What a route is, as data: documents, template, tests and the runner all read the same constant.

use super::tag::Tag;
use crate::domain::user::Permission;
use crate::store::admission;
use crate::store::rates::RateLimit;

/// A method of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// Reads.
    Get,
    /// Makes something.
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

/// What a route makes of the header `Idempotency-Key` (contract §1 *Idempotency*).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotency {
    /// Nothing: its method says that a repeat is harmless (RFC 9110 §9.2.2).
    OfMethod,
    /// It makes one thing for all requests under a key, and answers the later ones as the first.
    Taken,
    /// It makes nothing, and a repeat changes nothing: the header may be there.
    Harmless,
    /// It refuses the header with 422: a repeat would do more, and no key prevents it.
    Refused,
}

/// A route.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a statement of its own about the route"
)]
pub struct Route {
    /// `<verb>_<noun>`, the same in the module, the binary, the template and the document.
    pub name: &'static str,
    /// The method.
    pub method: Method,
    /// The path, with parameters in braces.
    pub path: &'static str,
    /// The status of success.
    pub success: u16,
    /// Another status of success, for a route that finds what it would else make.
    pub also: Option<u16>,
    /// The rate limits that a valid request goes through.
    pub rate_limits: &'static [RateLimit],
    /// Whether the handler asks to pass by itself, alongside its reads, and not the runner before it.
    pub admits_itself: bool,
    /// Whether a request without a body is one with an empty object: its parameters may come in the query.
    pub is_body_optional: bool,
    /// Whether its resource has a version, in the header `ETag`, which `If-Match` and `If-None-Match` speak of.
    pub is_versioned: bool,
    /// What it makes of the header `Idempotency-Key`.
    pub idempotency: Idempotency,
    /// What the caller's token must allow beyond being good: what the endpoint's type of caller says
    /// ([`super::endpoint::Identify::NEEDS`]).
    pub needs: Option<Permission>,
    /// Whether it answers members of the conversation in its path alone, and everybody else with 404.
    pub is_for_members: bool,
    /// The part of the API that the document shows it in.
    pub tag: Tag,
    /// One line for the document.
    pub summary: &'static str,
    /// What the summary and the types do not say, as Markdown for the document; empty if they say all.
    pub description: &'static str,
    /// The statuses with which it refuses, beyond those that follow from its types and fields: 401 and 429 for callers,
    /// 403 where it needs a permission, 404 for an id in the path, 400, 413, 415 and 422 for a body, 422 for a query,
    /// 412 for a version, 500 and 503 always.
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
            admits_itself: false,
            is_body_optional: false,
            is_versioned: false,
            idempotency: match method {
                // Until it says otherwise.
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

    /// Makes: 201.
    pub const fn post(tag: Tag, name: &'static str, path: &'static str, summary: &'static str) -> Self {
        Self::new(tag, name, Method::Post, path, 201, summary)
    }

    /// Sets: 200.
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

    /// Another status of success than the method's usual one.
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

    /// What the document says beside the summary, as Markdown.
    #[must_use]
    pub const fn described(mut self, description: &'static str) -> Self {
        self.description = description;
        self
    }

    /// Statuses with which it refuses beyond those that follow from the rest of the declaration.
    #[must_use]
    pub const fn refuses(mut self, statuses: &'static [u16]) -> Self {
        self.refusals = statuses;
        self
    }

    /// Takes its parameters in the query too, so that there need be no body.
    #[must_use]
    pub const fn body_may_be_absent(mut self) -> Self {
        self.is_body_optional = true;
        self
    }

    /// Is about something that has a version: see [`crate::domain::precondition`].
    #[must_use]
    pub const fn versioned(mut self) -> Self {
        self.is_versioned = true;
        self
    }

    /// Whether it evaluates preconditions: those of the resource that it is sent to, which is not what POST makes.
    pub fn is_conditional(&self) -> bool {
        self.is_versioned && self.method != Method::Post
    }

    /// A second status of success.
    #[must_use]
    pub const fn also(mut self, status: u16) -> Self {
        self.also = Some(status);
        self
    }

    /// Makes one thing for all requests under an `Idempotency-Key`: see [`super::Call::once`].
    #[must_use]
    pub const fn takes_key(mut self) -> Self {
        self.idempotency = Idempotency::Taken;
        self
    }

    /// Makes nothing, and changes nothing when it is repeated.
    #[must_use]
    pub const fn repeats_harmlessly(mut self) -> Self {
        self.idempotency = Idempotency::Harmless;
        self
    }

    /// A send: goes through the bucket of sends too, and asks by itself, so that the wait for the bucket and
    /// its reads are one.
    #[must_use]
    pub const fn sends(mut self) -> Self {
        self.rate_limits = admission::SEND;
        self.admits_itself = true;
        self.takes_key()
    }

    /// Begins an upload: goes through the bucket of uploads too.
    #[must_use]
    pub const fn uploads(mut self) -> Self {
        self.rate_limits = &[RateLimit::Requests, RateLimit::Uploads];
        self
    }

    /// Every path that it answers: what lives under `/api/conversations` also lives under
    /// `/api/v1/conversations`, in an envelope (contract §1).
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

    /// Whether a path's answers come in the envelope `{success, data, error}`.
    pub fn is_enveloped(path: &str) -> bool {
        path.starts_with("/api/v1/")
    }
}
