//! Random faults: any call may fail, at given rates.

use std::cell::RefCell;

use local_services::{Call, Service, Verdict};

use super::{Dice, Point, failed, throttled};

tokio::task_local! {
    /// The dice of the operation that this task carries out, so that its faults do not depend on what runs concurrently.
    /// Jobs, which belong to no operation, use the dice of [`FaultRates`].
    pub static OPERATION: RefCell<Dice>;
}

/// How often each kind of fault occurs, per ten thousand calls.
#[derive(Clone, Debug)]
pub struct FaultRates {
    /// The dice for jobs.
    pub dice: Dice,
    /// Calls to the table that are throttled.
    pub table_throttled: u32,
    /// Calls to queues that are throttled.
    pub queue_throttled: u32,
    /// Calls of any kind that take effect and are answered with an error.
    pub failed: u32,
    /// Calls whose connection breaks before they take effect.
    pub dropped_before: u32,
    /// Calls that take effect and whose connection breaks before the answer.
    pub dropped_after: u32,
    /// Calls before or after which the function dies.
    pub died: u32,
    /// Every call of a job whose request contains this text fails.
    pub cursed: Option<String>,
}

impl FaultRates {
    /// No faults: for `..FaultRates::none(dice)`.
    pub fn none(dice: Dice) -> Self {
        Self {
            dice,
            table_throttled: 0,
            queue_throttled: 0,
            failed: 0,
            dropped_before: 0,
            dropped_after: 0,
            died: 0,
            cursed: None,
        }
    }

    fn happens(&mut self, in_ten_thousand: u32) -> bool {
        if in_ten_thousand == 0 {
            return false;
        }
        OPERATION
            .try_with(|dice| dice.borrow_mut().happens(in_ten_thousand))
            .unwrap_or_else(|_| self.dice.happens(in_ten_thousand))
    }

    pub(super) fn before(&mut self, call: &Call) -> Verdict {
        if let Some(cursed) = &self.cursed
            && Point::of(call).is_of_a_job()
            && String::from_utf8_lossy(&call.request).contains(cursed)
        {
            return failed(call.service);
        }
        let busy = match call.service {
            Service::DynamoDb => self.table_throttled,
            Service::Sqs => self.queue_throttled,
            Service::S3 | Service::Connections => 0,
        };
        if self.happens(busy) {
            throttled(call.service)
        } else if self.happens(self.dropped_before) {
            Verdict::Drop
        } else if self.happens(self.died) {
            Verdict::Die
        } else {
            Verdict::Proceed
        }
    }

    pub(super) fn after(&mut self, call: &Call) -> Verdict {
        if self.happens(self.failed) {
            failed(call.service)
        } else if self.happens(self.dropped_after) {
            Verdict::Drop
        } else if self.happens(self.died) {
            Verdict::Die
        } else {
            Verdict::Proceed
        }
    }
}
