//! Costs at AWS's public list prices, which are in `tests/data/prices.json`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Cost;

/// How long a function waits for an answer of a service: a single-digit figure of milliseconds, as AWS says of
/// DynamoDB. A function is billed while it waits.
const ROUND_TRIP_SECONDS: f64 = 0.006;
/// The CPU time of one call, all that a function does besides included: more than the 0.12 to 0.18 ms that are measured
/// of a send and a delivery (`docs/performance.md`, "Start-up": the CPU of an invocation over its calls).
const CPU_SECONDS_PER_CALL: f64 = 0.000_2;
/// How much memory comes with one CPU.
/// Source: AWS, *Configure Lambda function memory*.
const MEGABYTES_PER_CPU: f64 = 1_769.0;

/// Calls of each function that have to wait for each other.
pub(super) type Rounds = BTreeMap<String, usize>;

/// The rounds of each function that a cost at rest shows.
pub(super) fn rounds(cost: &Cost) -> Rounds {
    let of = |name: &String| (name.clone(), cost.bill.of(name).rounds());
    cost.invocations.keys().map(of).collect()
}

/// Dollars per million operations, where `cost` is that of `operations` of them. `rounds` are those of an
/// invocation that had nobody beside it.
pub(super) fn dollars_per_million(cost: &Cost, rounds: &Rounds, operations: usize) -> f64 {
    let prices: Value = serde_json::from_str(include_str!("../../data/prices.json")).unwrap();
    let price = |name: &str| prices[name].as_f64().unwrap();
    let http_requests = cost.invoked() - cost.batches();
    let once = number(http_requests) * price("http_api_request")
        + number(cost.posts()) * price("websocket_message")
        + cost.bill.writes() * price("write_request_unit")
        + cost.bill.reads() * price("read_request_unit")
        + number(cost.queue_requests()) * price("sqs_request")
        + number(cost.invoked()) * price("lambda_request")
        + gigabyte_seconds(cost, rounds) * price("lambda_gb_second_arm64");
    1e6 * once / number(operations)
}

/// What the invocations hold, for as long as they last: their waits and the work of their calls, with the memory
/// that the template gives them.
fn gigabyte_seconds(cost: &Cost, rounds: &Rounds) -> f64 {
    let template = local::environment::template(&BTreeMap::new()).unwrap();
    let of = |(name, invocations): (&String, &usize)| {
        let function = template.functions.iter().find(|spec| spec.logical_id == *name);
        let megabytes = number(usize::try_from(function.unwrap().memory_mb).unwrap());
        let waiting = ROUND_TRIP_SECONDS * number(rounds.get(name).copied().unwrap_or(1) * invocations);
        let working = CPU_SECONDS_PER_CALL * number(cost.bill.of(name).calls());
        (waiting + working * MEGABYTES_PER_CPU / megabytes) * megabytes / 1_024.0
    };
    cost.invocations.iter().map(of).sum()
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}
