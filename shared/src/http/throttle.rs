//! How much of a route everybody together may ask for. What is public costs, and no token says whom to slow down.

/// The most requests that a route takes from everybody together. Beyond them API Gateway itself answers 429, and no
/// function is called.
///
/// It is a bucket of tokens for each route: a path and a method.
/// Source: AWS, *Throttle requests to your HTTP APIs for better throughput in API Gateway*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttle {
    /// Requests per second.
    pub rate: u32,
    /// Requests at once.
    pub burst: u32,
}

impl Throttle {
    /// A check of health that calls nothing: monitors in many places, and load balancers.
    pub const HEALTH: Self = Self { rate: 50, burst: 100 };
    /// A check of health that calls other services.
    pub const READINESS: Self = Self { rate: 10, burst: 20 };
    /// A document or a file of a page: tens of kilobytes up to some hundred. Clients keep them.
    pub const DOCUMENT: Self = Self { rate: 20, burst: 40 };
    /// What is no route. Clients that are right never ask for it.
    pub const UNKNOWN: Self = Self {
        rate: 100,
        burst: 200,
    };
}
