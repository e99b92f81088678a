//! Which route answers: the most specific one, as HTTP APIs choose it.
//!
//! From "Create routes for HTTP APIs": a full match of method and path wins over a greedy `{proxy+}`, and that
//! over `$default`. Among full matches literal segments win over `{parameters}`, among greedy ones the longest
//! literal start. A method's own route wins over `ANY` at the same path. A trailing slash means nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ::http::Method;
use percent_encoding::percent_decode_str;

use super::throttle::Bucket;
use crate::template::{HttpApiSpec, HttpRoute};

/// Two routes that no request could tell apart, or a path that is none.
#[derive(Debug, thiserror::Error)]
#[error("route {key}: {reason}")]
pub struct RouteError {
    key: String,
    reason: String,
}

/// A route that answers a request.
pub(super) struct Found<'a> {
    pub(super) function: &'a str,
    /// `GET /pets/{id}`, or `$default`.
    pub(super) key: &'a str,
    /// Decoded; in the order of the path.
    pub(super) parameters: Vec<(String, String)>,
    pub(super) timeout: Option<Duration>,
    pub(super) throttle: Option<&'a Bucket>,
}

#[derive(Clone)]
pub(super) struct Router {
    routes: Vec<Target>,
    /// Full matches, by method; `None` holds the `ANY` routes for methods that have no route of their own.
    full: HashMap<Option<Method>, matchit::Router<usize>>,
    /// Greedy ones, most specific first.
    greedy: Vec<Greedy>,
    default: Option<Target>,
}

#[derive(Clone)]
struct Target {
    function: String,
    key: String,
    timeout: Option<Duration>,
    throttle: Option<Arc<Bucket>>,
}

#[derive(Clone)]
struct Greedy {
    method: Option<Method>,
    segments: Vec<String>,
    name: String,
    route: usize,
}

impl Router {
    pub(super) fn new(spec: &HttpApiSpec) -> Result<Self, RouteError> {
        let default = spec.default_function.as_ref().map(|function| Target {
            function: function.clone(),
            key: "$default".to_owned(),
            timeout: None,
            throttle: spec.default_throttle.map(Bucket::new).map(Arc::new),
        });
        let mut router = Self {
            routes: Vec::new(),
            full: HashMap::new(),
            greedy: Vec::new(),
            default,
        };
        // `ANY` comes last, so that it takes only the places which the methods leave free.
        let (own, any): (Vec<_>, Vec<_>) = spec.routes.iter().partition(|route| route.method != "ANY");
        let mut methods = vec![None];
        for route in &own {
            let method = method(route)?;
            let index = router.target(route);
            if !methods.contains(&Some(method.clone())) {
                methods.push(Some(method.clone()));
            }
            router.insert(Some(method), route, index)?;
        }
        for route in any {
            let index = router.target(route);
            for method in &methods {
                let taken = router.insert(method.clone(), route, index);
                if method.is_none() {
                    taken?;
                }
            }
        }
        router.greedy.sort_by_key(|greedy| {
            let literals = greedy
                .segments
                .iter()
                .filter(|segment| !is_parameter(segment))
                .count();
            std::cmp::Reverse((literals, greedy.segments.len(), greedy.method.is_some()))
        });
        Ok(router)
    }

    pub(super) fn find(&self, method: &Method, path: &str) -> Option<Found<'_>> {
        let path = trim(path);
        self.find_full(method, path)
            .or_else(|| self.find_greedy(method, path))
            .or_else(|| self.default.as_ref().map(|target| found(target, Vec::new())))
    }

    fn find_full(&self, method: &Method, path: &str) -> Option<Found<'_>> {
        let router = self
            .full
            .get(&Some(method.clone()))
            .or_else(|| self.full.get(&None))?;
        let matched = router.at(path).ok()?;
        let target = self.routes.get(*matched.value)?;
        let parameters = matched
            .params
            .iter()
            .map(|(name, value)| (name.to_owned(), decode(value)))
            .collect();
        Some(found(target, parameters))
    }

    fn find_greedy(&self, method: &Method, path: &str) -> Option<Found<'_>> {
        self.greedy
            .iter()
            .filter(|greedy| greedy.method.as_ref().is_none_or(|own| own == method))
            .find_map(|greedy| Some(found(self.routes.get(greedy.route)?, greedy.parameters(path)?)))
    }

    fn target(&mut self, route: &HttpRoute) -> usize {
        self.routes.push(Target {
            function: route.function.clone(),
            key: format!("{} {}", route.method, route.path),
            timeout: route.timeout_milliseconds.map(Duration::from_millis),
            throttle: route.throttle.map(Bucket::new).map(Arc::new),
        });
        self.routes.len() - 1
    }

    fn insert(&mut self, method: Option<Method>, route: &HttpRoute, index: usize) -> Result<(), RouteError> {
        let error = |reason: String| RouteError {
            key: format!("{} {}", route.method, route.path),
            reason,
        };
        let path = trim(&route.path);
        let Some(rest) = path.strip_prefix('/') else {
            return Err(error("the path does not begin with /".into()));
        };
        if let Some((start, name)) = path.strip_suffix("+}").and_then(|path| path.rsplit_once("/{")) {
            // One entry serves every method that has no better one, so `ANY` needs no copies.
            if route.method == "ANY" && method.is_some() {
                return Ok(());
            }
            let segments = start.split('/').skip(1).map(str::to_owned).collect();
            self.greedy.push(Greedy {
                method,
                segments,
                name: name.to_owned(),
                route: index,
            });
            return Ok(());
        }
        if rest.contains("+}") {
            return Err(error("{proxy+} stands only at the end".into()));
        }
        let router = self.full.entry(method).or_default();
        router
            .insert(path, index)
            .map_err(|conflict| error(conflict.to_string()))
    }
}

impl Greedy {
    fn parameters(&self, path: &str) -> Option<Vec<(String, String)>> {
        let mut rest = path.strip_prefix('/')?;
        let mut parameters = Vec::new();
        for segment in &self.segments {
            let (head, tail) = rest.split_once('/')?;
            if let Some(name) = segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                parameters.push((name.to_owned(), decode(head)));
            } else if segment != head {
                return None;
            }
            rest = tail;
        }
        if rest.is_empty() {
            return None;
        }
        parameters.push((self.name.clone(), decode(rest)));
        Some(parameters)
    }
}

fn found(target: &Target, parameters: Vec<(String, String)>) -> Found<'_> {
    Found {
        function: &target.function,
        key: &target.key,
        parameters,
        timeout: target.timeout,
        throttle: target.throttle.as_deref(),
    }
}

fn method(route: &HttpRoute) -> Result<Method, RouteError> {
    Method::from_bytes(route.method.as_bytes()).map_err(|error| RouteError {
        key: format!("{} {}", route.method, route.path),
        reason: error.to_string(),
    })
}

fn trim(path: &str) -> &str {
    match path.strip_suffix('/') {
        Some("") | None => path,
        Some(trimmed) => trimmed,
    }
}

fn is_parameter(segment: &str) -> bool {
    segment.starts_with('{')
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}
