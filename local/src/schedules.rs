//! Schedules: invokes chores like `EventBridge` Scheduler.
//!
//! The first invocation comes one period after the desk was started. If the clock passes several periods at once (a
//! test moves it), there is one invocation; a chore that fails is not retried until the next one.
//! Source: AWS, *Schedule types* of its scheduler, rate-based schedules.

use std::time::Duration;

use local_gateway::template::Schedule;
use serde_json::json;
use shared::clock::Clock;
use shared::domain::time::Timestamp;
use tokio::sync::watch;

use crate::invoker::SharedInvoker;

/// How often the clock is checked: the machine's clock may be set, and stops during sleep.
const LOOK: Duration = Duration::from_secs(30);

/// The period of an expression such as `rate(1 hour)`.
pub fn period(expression: &str) -> Option<Duration> {
    let (number, unit) = expression
        .strip_prefix("rate(")?
        .strip_suffix(')')?
        .split_once(' ')?;
    let number: u64 = number.parse().ok().filter(|number| *number > 0)?;
    let seconds = match unit.trim_end_matches('s') {
        "minute" => 60,
        "hour" => 60 * 60,
        "day" => 24 * 60 * 60,
        _ => return None,
    };
    Some(Duration::from_secs(number.checked_mul(seconds)?))
}

/// The invocation times of a schedule.
pub struct Turns {
    schedule: Schedule,
    period: Duration,
    first: Timestamp,
    clock: Clock,
}

/// The invocation times of schedules that begin now.
///
/// # Errors
/// An expression that is not a rate.
pub fn turns(schedules: &[Schedule], clock: &Clock) -> Result<Vec<Turns>, String> {
    let turns = |schedule: &Schedule| {
        let period = period(&schedule.expression).ok_or_else(|| schedule.expression.clone())?;
        Ok(Turns {
            schedule: schedule.clone(),
            period,
            first: clock.now().plus(period),
            clock: clock.clone(),
        })
    };
    let enabled = schedules.iter().filter(|schedule| schedule.is_enabled);
    enabled.map(turns).collect()
}

impl Turns {
    /// Invokes the function at each time until told to stop. `moved` signals that the clock was moved.
    pub async fn run(
        self,
        invoker: SharedInvoker,
        mut moved: watch::Receiver<u64>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut due = self.first;
        while !*stop.borrow() {
            let now = self.clock.now();
            if now >= due {
                let event = event(&self.schedule, due);
                while now >= due {
                    due = due.plus(self.period);
                }
                // Errors are in the function's own log line.
                invoker.invoke(&self.schedule.function, event).await.ok();
                continue;
            }
            tokio::select! {
                () = tokio::time::sleep(due.since(now).min(LOOK)) => {}
                _ = moved.changed() => {}
                _ = stop.changed() => {}
            }
        }
    }
}

/// The event of an invocation: the template's, or the scheduler's default. CloudFormation names a schedule after its
/// stack, its logical id and a generated suffix.
fn event(schedule: &Schedule, at: Timestamp) -> Vec<u8> {
    if let Some(input) = &schedule.input {
        return input.clone().into_bytes();
    }
    let seconds = Timestamp::from_milliseconds(at.seconds() * 1000).to_string();
    json!({
        "version": "0",
        "id": uuid::Uuid::new_v4(),
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": "000000000000",
        "time": seconds.replace(".000Z", "Z"),
        "region": "us-east-1",
        "resources": [format!("arn:aws:scheduler:us-east-1:000000000000:schedule/default/tidings-desk-{}-0123456789AB", schedule.logical_id)],
        "detail": "{}",
    })
    .to_string()
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_period() {
        assert_eq!(period("rate(1 hour)"), Some(Duration::from_hours(1)));
        assert_eq!(period("rate(5 minutes)"), Some(Duration::from_mins(5)));
        assert_eq!(period("rate(2 days)"), Some(Duration::from_hours(48)));
        for wrong in [
            "rate(0 minutes)",
            "rate(1 week)",
            "rate(1)",
            "cron(0 12 * * ? *)",
            "",
        ] {
            assert_eq!(period(wrong), None, "{wrong}");
        }
    }
}
