//! A town under a changing sky: many people with several devices each, who talk, read, delete, come and go, while
//! calls are throttled, fail, break and kill their functions, jobs come twice and out of order, copies of the table
//! lag behind, and connections end without a word. A model says what must be true of it, and is asked whenever the
//! town comes to rest.
//!
//! Nothing goes over a socket that would add nothing: functions are handed API Gateway's events, and what is
//! posted to a connection is kept by a [`clients::Switchboard`].
//!
//! | Variable | What |
//! |---|---|
//! | `TIDINGS_SEED` | the seed, as a failed run has printed it: the same people do the same, and the same befalls each |
//! | `TIDINGS_OPERATIONS` | how many operations, instead of [`OPERATIONS`] |
//!
//! The large run: `TIDINGS_OPERATIONS=1000000 cargo test --release -p tests --test it simulation -- --nocapture`.
//! It is shared among as many worlds as there are CPUs, each with a seed and a desk of its own.
//! Which of two requests that are under way at once comes first is up to the runtime's timers, not to the seed.

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
use harness::faults::{Dice, Faults, Storm};
use harness::world::{FANOUT, FANOUT_DEAD, OFFLINE, OFFLINE_DEAD};
use local::desk::{Desk, Options};
use local_gateway::websocket::WebSocketOptions;
use local_services::Delivery;
use shared::clock::Clock;
use uuid::Uuid;

use clients::{Client, Switchboard};
use model::Town;

/// How many operations a run makes that nobody has asked for more.
const OPERATIONS: usize = 2400;
/// After how many the town comes to rest.
const EPOCH: usize = 804;
/// How many people are at work at once.
const ACTORS: usize = 12;
/// How many people live in a town.
const PEOPLE: usize = 18;
/// After how many epochs a new town is founded, beside all that are there.
const TOWN_EPOCHS: usize = 12;
/// How many conversations a town has, about: then people talk where they have talked before.
const CONVERSATIONS: usize = 40;

/// Everything that an operation needs.
struct Scene {
    desk: Desk,
    faults: Arc<Faults>,
    switchboard: Arc<Switchboard>,
    town: RefCell<Town>,
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
        processes: None,
    })
    .await
    .expect("the desk starts")
}

/// The weather of an epoch.
fn weather(dice: &mut Dice) -> Option<Storm> {
    let strength = *dice.one_of(&[0, 1, 1, 2, 4]);
    (strength > 0).then(|| Storm {
        table_throttled: 200 * strength,
        queue_throttled: 150 * strength,
        failed: 40 * strength,
        dropped_before: 40 * strength,
        dropped_after: 40 * strength,
        died: 30 * strength,
        ..Storm::calm(dice.part(1))
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

/// Keeps the copies of the table that are read eventually up to so long behind.
/// Source: AWS, *`DynamoDB` read consistency*: a second or less.
const LAG: Duration = Duration::from_millis(500);

/// Lets eventually consistent reads lag behind for as long as something goes on.
async fn lagging<T>(scene: &Scene, going_on: impl Future<Output = T>) -> T {
    let services = scene.desk.services();
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

/// What an operator does after a storm: a job that failed five times in it is sent back, and is now done. A minute
/// later, because until then a job waits for an entry that nobody may ever put.
async fn redrive(scene: &Scene) {
    let queues = scene.desk.services().queues();
    let depth = |queue| queues.depth(queue).unwrap().visible;
    if depth(FANOUT_DEAD) + depth(OFFLINE_DEAD) > 0 {
        scene.desk.advance(Duration::from_secs(61));
    }
    let mut redriven = 0;
    for (dead, queue) in [(FANOUT_DEAD, FANOUT), (OFFLINE_DEAD, OFFLINE)] {
        redriven += queues.redrive(dead, queue).unwrap();
    }
    if redriven > 0 {
        println!("{redriven} jobs were dead for a while");
        scene.faults.settle(scene.desk.services()).await;
    }
    for dead in [FANOUT_DEAD, OFFLINE_DEAD] {
        let dead = queues.messages(dead).unwrap();
        assert!(dead.is_empty(), "{dead:#?}");
    }
}

/// A run: what was done, how often, and how it went for those who did it.
async fn run(seed: u64, operations: usize) {
    let desk = desk().await;
    let faults = Faults::install(desk.services());
    let switchboard = Arc::new(Switchboard::default());
    let connections: Arc<Switchboard> = Arc::clone(&switchboard);
    desk.services().set_connections(connections);
    let dice = Dice::new(seed);
    let scene = Rc::new(Scene {
        town: RefCell::new(Town::default()),
        desk,
        faults,
        switchboard,
    });
    let (began, mut done, mut epoch) = (Instant::now(), 0, 0_usize);
    while done < operations {
        let mut sky = dice.part(u64::try_from(epoch).unwrap());
        if epoch.is_multiple_of(TOWN_EPOCHS) {
            actions::found(&scene, &mut sky, PEOPLE).await;
        }
        actions::begin(&scene);
        scene.desk.services().queues().set_delivery(delivery(&mut sky));
        if let Some(storm) = weather(&mut sky) {
            scene.faults.storm(storm);
        }
        let lags = sky.happens(3000);
        let actors = (0..ACTORS).map(|actor| {
            let own = sky.part(1000 + u64::try_from(actor).unwrap());
            actions::acts(Rc::clone(&scene), own, EPOCH / ACTORS)
        });
        let counts = if lags {
            lagging(&scene, join_all(actors)).await
        } else {
            join_all(actors).await
        };
        done += counts.into_iter().sum::<usize>();
        scene.faults.calm();
        scene.desk.services().queues().set_delivery(Delivery::Orderly);
        scene.faults.settle(scene.desk.services()).await;
        redrive(&scene).await;
        rest::verify(&scene, &mut sky).await;
        epoch += 1;
        if done / 10_000 != (done - EPOCH.min(done)) / 10_000 || done >= operations {
            let seconds = began.elapsed().as_secs_f64();
            let each = f64::from(u32::try_from(done).unwrap()) / seconds;
            println!(
                "{seed}: {done} operations in {seconds:.0} s, {each:.0} a second: {}; {:?}",
                scene.town.borrow().tally,
                scene.faults.tally(),
            );
        }
    }
}

/// One world of its own, with nothing beside it on its thread.
fn world(seed: u64, operations: usize) {
    println!("TIDINGS_SEED={seed} TIDINGS_OPERATIONS={operations}");
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(run(seed, operations));
}

/// How many worlds go side by side: one for a seed that is to be seen again and for a short run, else one for
/// each CPU, none shorter than the short run.
fn worlds(operations: usize, seed: Option<u64>) -> usize {
    if seed.is_some() {
        return 1;
    }
    let cpus = std::thread::available_parallelism().map_or(1, NonZero::get);
    cpus.min(operations / OPERATIONS).max(1)
}

/// Nothing acknowledged is lost, nothing is doubled, nothing is reordered, nothing drifts.
#[test]
fn a_town_in_all_weathers_agrees_with_its_model() {
    let seed = setting("TIDINGS_SEED");
    let operations = setting("TIDINGS_OPERATIONS").map_or(OPERATIONS, |many| usize::try_from(many).unwrap());
    let worlds = worlds(operations, seed);
    let share = operations.div_ceil(worlds);
    let (done, results) = mpsc::channel();
    for _ in 0..worlds {
        let seed = seed.unwrap_or_else(|| Uuid::new_v4().as_u64_pair().0);
        let done = done.clone();
        std::thread::spawn(move || done.send((seed, catch_unwind(|| world(seed, share)))));
    }
    for (seed, result) in results.iter().take(worlds) {
        // The first that fails ends the run.
        result.unwrap_or_else(|panic| {
            println!("TIDINGS_SEED={seed} TIDINGS_OPERATIONS={share} does this again");
            resume_unwind(panic)
        });
    }
}
