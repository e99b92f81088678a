//! A randomized simulation under faults: many people with several devices each send, read, delete, connect and
//! disconnect, while calls are throttled, fail, lose their connection or kill their function, jobs are duplicated and
//! reordered, eventually consistent reads lag, and connections end without notice. After each epoch the system is left
//! to settle, and compared with a model of what it must hold.
//!
//! No sockets are used: functions are invoked with the events that API Gateway would send, and what is posted to a
//! connection is kept by [`clients::RecordedConnections`].
//!
//! | Variable | What |
//! |---|---|
//! | `TIDINGS_SEED` | the seed that a failed run printed: every person does the same operations and meets the same faults |
//! | `TIDINGS_OPERATIONS` | how many operations, instead of [`OPERATIONS`] |
//!
//! The large run: `TIDINGS_OPERATIONS=1000000 cargo test --release -p tests --test it simulation -- --nocapture`.
//! It is divided among as many desks as there are CPUs, each with its own seed.
//! The order of two concurrent requests depends on the runtime's timers, not on the seed.

#![expect(
    clippy::print_stdout,
    reason = "a failed run tells what it was at, and a good one its figures"
)]

mod actions;
mod clients;
mod model;
mod rest;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::num::NonZero;
use std::panic::{catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use futures::future::join_all;
use harness::faults::{Dice, FaultRates, Faults};
use harness::world::{FANOUT, FANOUT_DEAD, OFFLINE, OFFLINE_DEAD};
use local::desk::{Desk, Options};
use local_gateway::websocket::WebSocketOptions;
use local_services::Delivery;
use shared::clock::Clock;
use uuid::Uuid;

use clients::{Client, RecordedConnections};
use model::Model;

/// How many operations a run makes unless `TIDINGS_OPERATIONS` says otherwise.
const OPERATIONS: usize = 2400;
/// How many operations an epoch has; the system is checked after each epoch.
const EPOCH: usize = 804;
/// How many people act concurrently.
const ACTORS: usize = 12;
/// How many people a model has.
const PEOPLE: usize = 18;
/// After how many epochs a new model begins, with new people; the data of the earlier ones stays in the table.
const MODEL_EPOCHS: usize = 12;
/// About how many conversations a model has. From then on people use the conversations that exist.
const CONVERSATIONS: usize = 40;

/// What every operation needs.
struct Simulation {
    desk: Desk,
    faults: Arc<Faults>,
    connections: Arc<RecordedConnections>,
    model: RefCell<Model>,
}

async fn desk() -> Desk {
    let unlimited = [
        "RATE_LIMIT_SENDS_PER_MINUTE",
        "RATE_LIMIT_REQUESTS_PER_MINUTE",
        "RATE_LIMIT_FRAMES_PER_SECOND",
        "RATE_LIMIT_CONNECTS_PER_MINUTE",
    ];
    let environment: BTreeMap<_, _> = unlimited
        .map(|name| (name.to_owned(), "0".to_owned()))
        .into_iter()
        .collect();
    Desk::start(Options {
        http_port: 0,
        ws_port: 0,
        s3_port: 0,
        data_dir: None,
        environment,
        clock: Clock::default(),
        sink: Arc::new(|_| {}),
        websocket: WebSocketOptions::default(),
        instances: 2,
        throttles: false,
        processes: None,
    })
    .await
    .expect("the desk starts")
}

/// The fault rates of an epoch; none for one without faults.
fn fault_rates(dice: &mut Dice) -> Option<FaultRates> {
    let strength = *dice.one_of(&[0, 1, 1, 2, 4]);
    (strength > 0).then(|| FaultRates {
        table_throttled: 200 * strength,
        queue_throttled: 150 * strength,
        failed: 40 * strength,
        dropped_before: 40 * strength,
        dropped_after: 40 * strength,
        died: 30 * strength,
        ..FaultRates::none(dice.part(1))
    })
}

fn delivery(dice: &mut Dice) -> Delivery {
    *dice.one_of(&[
        Delivery::Orderly,
        Delivery::Duplicated,
        Delivery::Shuffled,
        Delivery::DuplicatedAndShuffled,
    ])
}

/// How far eventually consistent reads lag behind at most.
/// Source: AWS, *`DynamoDB` read consistency*: a second or less.
const LAG: Duration = Duration::from_millis(500);

/// Lets eventually consistent reads lag while a future runs.
async fn lagging<T>(simulation: &Simulation, going_on: impl Future<Output = T>) -> T {
    let services = simulation.desk.services();
    let lag = async {
        loop {
            services.hold_eventual_reads().expect("the table can be copied");
            tokio::time::sleep(LAG).await;
        }
    };
    let done = tokio::select! {
        done = going_on => done,
        () = lag => unreachable!("it never ends"),
    };
    services.release_eventual_reads();
    done
}

fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is no number: {text}")),
    )
}

/// Redrives the dead-letter queues, as an operator would after an outage. The clock is advanced by a minute first:
/// until then a job waits for an entry that may never be put.
async fn redrive(simulation: &Simulation) {
    let queues = simulation.desk.services().queues();
    let depth = |queue| queues.depth(queue).unwrap().visible;
    if depth(FANOUT_DEAD) + depth(OFFLINE_DEAD) > 0 {
        simulation.desk.advance(Duration::from_secs(61));
    }
    let mut redriven = 0;
    for (dead, queue) in [(FANOUT_DEAD, FANOUT), (OFFLINE_DEAD, OFFLINE)] {
        redriven += queues.redrive(dead, queue).unwrap();
    }
    if redriven > 0 {
        println!("{redriven} jobs were redriven");
        simulation.faults.settle(simulation.desk.services()).await;
    }
    for dead in [FANOUT_DEAD, OFFLINE_DEAD] {
        let dead = queues.messages(dead).unwrap();
        assert!(dead.is_empty(), "{dead:#?}");
    }
}

/// One run on one desk: epochs of concurrent operations, each followed by a check against the model.
async fn run(seed: u64, operations: usize) {
    let desk = desk().await;
    let faults = Faults::install(desk.services());
    let connections = Arc::new(RecordedConnections::default());
    let recorder: Arc<RecordedConnections> = Arc::clone(&connections);
    desk.services().set_connections(recorder);
    let dice = Dice::new(seed);
    let simulation = Rc::new(Simulation {
        model: RefCell::new(Model::default()),
        desk,
        faults,
        connections,
    });
    let (began, mut done, mut epoch) = (Instant::now(), 0, 0_usize);
    while done < operations {
        let mut dice = dice.part(u64::try_from(epoch).unwrap());
        if epoch.is_multiple_of(MODEL_EPOCHS) {
            actions::found_model(&simulation, &mut dice, PEOPLE).await;
        }
        actions::begin(&simulation);
        simulation
            .desk
            .services()
            .queues()
            .set_delivery(delivery(&mut dice));
        if let Some(rates) = fault_rates(&mut dice) {
            simulation.faults.inject_randomly(rates);
        }
        let lags = dice.happens(3000);
        let actors = (0..ACTORS).map(|actor| {
            let own = dice.part(1000 + u64::try_from(actor).unwrap());
            actions::acts(Rc::clone(&simulation), own, EPOCH / ACTORS)
        });
        let counts = if lags {
            lagging(&simulation, join_all(actors)).await
        } else {
            join_all(actors).await
        };
        done += counts.into_iter().sum::<usize>();
        simulation.faults.clear();
        simulation
            .desk
            .services()
            .queues()
            .set_delivery(Delivery::Orderly);
        simulation.faults.settle(simulation.desk.services()).await;
        redrive(&simulation).await;
        rest::verify(&simulation, &mut dice).await;
        epoch += 1;
        if done / 10_000 != (done - EPOCH.min(done)) / 10_000 || done >= operations {
            let seconds = began.elapsed().as_secs_f64();
            let each = f64::from(u32::try_from(done).unwrap()) / seconds;
            println!(
                "{seed}: {done} operations in {seconds:.0} s, {each:.0} a second: {}; {:?}",
                simulation.model.borrow().tally,
                simulation.faults.tally(),
            );
        }
    }
}

/// Runs on a thread of its own, with a single-threaded runtime.
fn run_alone(seed: u64, operations: usize) {
    println!("TIDINGS_SEED={seed} TIDINGS_OPERATIONS={operations}");
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(run(seed, operations));
}

/// How many runs go in parallel: one to replay a seed or for a short run, else one per CPU, none shorter than the
/// short run.
fn parallel_runs(operations: usize, seed: Option<u64>) -> usize {
    if seed.is_some() {
        return 1;
    }
    let cpus = std::thread::available_parallelism().map_or(1, NonZero::get);
    cpus.min(operations / OPERATIONS).max(1)
}

/// Nothing acknowledged is lost, duplicated or reordered, and no count drifts.
#[test]
fn a_simulation_with_faults_agrees_with_its_model() {
    let seed = setting("TIDINGS_SEED");
    let operations = setting("TIDINGS_OPERATIONS").map_or(OPERATIONS, |many| usize::try_from(many).unwrap());
    let runs = parallel_runs(operations, seed);
    let share = operations.div_ceil(runs);
    let (done, results) = mpsc::channel();
    for _ in 0..runs {
        let seed = seed.unwrap_or_else(|| Uuid::new_v4().as_u64_pair().0);
        let done = done.clone();
        std::thread::spawn(move || done.send((seed, catch_unwind(|| run_alone(seed, share)))));
    }
    for (seed, result) in results.iter().take(runs) {
        // The first failure ends the run.
        result.unwrap_or_else(|panic| {
            println!("TIDINGS_SEED={seed} TIDINGS_OPERATIONS={share} does this again");
            resume_unwind(panic)
        });
    }
}
