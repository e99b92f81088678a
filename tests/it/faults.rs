//! Every fault between a function and the services: nothing acknowledged is lost, duplicated or reordered (design §8,
//! §9).
//!
//! There is no list of calls to maintain. Each operation is first performed without faults, and its calls are recorded;
//! then it is repeated in a world of its own for each of those calls and each fault.

#![expect(
    clippy::print_stdout,
    reason = "a failed run tells what it was at, and a good one its figures"
)]

mod asking;
mod boxes;
mod fixture;
mod half;
mod lagging;
mod late;
mod points;
mod writers;
