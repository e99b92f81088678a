//! Everything that can go wrong between a function and its services: nothing acknowledged is lost, nothing is
//! doubled, nothing is reordered (design §8, §9).
//!
//! No list of calls stands here. Each operation is first done while all goes well, and what it calls is written down;
//! then it is done again, in a world of its own, for each of those calls and each fault.

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
