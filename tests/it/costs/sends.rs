//! The cost of a send, alone and with everything that it triggers.

use harness::ledger::Ledger;
use harness::{Person, Socket, World};

use super::prices::{dollars_per_million, rounds};
use super::{Cost, Table, world};

/// The cost of a send with a warm function: the first send in a process assumes that there is no rate limit item, and
/// may be refused.
async fn send(
    world: &World,
    ledger: &Ledger,
    sender: &Person,
    conversation: &str,
    listeners: &mut [Socket],
) -> Cost {
    let mut one = async |content| {
        sender.says(conversation, content).await;
        for socket in &mut *listeners {
            socket.next_of("new_message").await;
        }
    };
    one("warm").await;
    Cost::of(world, ledger, one("counted")).await
}

async fn crowd(world: &World, size: usize) -> Vec<Person> {
    let names: Vec<String> = (0..size).map(|index| format!("member{index}")).collect();
    futures::future::join_all(names.iter().map(|name| world.person(name))).await
}

#[tokio::test]
async fn a_direct_message_costs_three_writes_and_seven_requests_up_to_the_frame() {
    let (world, ledger) = world().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    let mut listeners = [bob.connect().await];
    let cost = send(&world, &ledger, &ada, &conversation, &mut listeners).await;
    let of_send = cost.part("SendMessage");
    let mut table = Table::new("direct message, one recipient online, at rest");
    table.row("send", &of_send);
    table.row("deliver", &cost.part("Deliver"));
    table.row("in all", &cost);
    for spent in &cost.bill.0 {
        let (function, operation) = (&spent.function, &spent.operation);
        table.line(
            &format!("  {function} {operation}"),
            &format!(
                "{:>6.1} {:>5.1}   in wait {}",
                spent.reads, spent.writes, spent.round
            ),
        );
    }
    let dollars = dollars_per_million(&cost, &rounds(&cost), 1);
    table.line("dollars per million", &format!("{dollars:.2}"));
    table.print();
    assert!(of_send.bill.rounds() <= 3, "{of_send:#?}");
    assert!(
        of_send.bill.writes() <= 3.0 && of_send.bill.reads() <= 2.0,
        "{of_send:#?}"
    );
    assert!(cost.bill.calls() <= 7 && cost.bill.reads() <= 3.0, "{cost:#?}");
    assert_eq!((cost.posts(), cost.queue_requests(), cost.invoked()), (1, 3, 2));
    assert!(dollars <= 6.0, "${dollars:.2}");
}

#[tokio::test]
async fn a_direct_message_among_many_costs_at_most_six_dollars_a_million() {
    const PAIRS: usize = 50;
    const EACH: usize = 6;
    let (world, ledger) = world().await;
    let people = crowd(&world, 2 * PAIRS).await;
    let mut pairs = Vec::new();
    for pair in people.chunks(2) {
        let [sender, recipient] = pair else { continue };
        let conversation = sender.open_direct(recipient).await;
        pairs.push((sender, conversation, recipient.connect().await));
    }
    let (sender, conversation, listener) = &mut pairs[0];
    let alone = send(
        &world,
        &ledger,
        sender,
        conversation,
        std::slice::from_mut(listener),
    )
    .await;
    // All warm, so that the steady state is measured.
    for (sender, conversation, listener) in &mut pairs {
        sender.says(conversation, "warm").await;
        listener.next_of("new_message").await;
    }
    let talks = pairs
        .iter_mut()
        .map(|(sender, conversation, listener)| async move {
            for _ in 0..EACH {
                sender.says(conversation, "counted").await;
                listener.next_of("new_message").await;
            }
        });
    let cost = Cost::of(&world, &ledger, futures::future::join_all(talks)).await;

    let sent = PAIRS * EACH;
    let rounds = rounds(&alone);
    let mut table = Table::new(&format!("direct messages, {PAIRS} pairs at once, {sent} in all"));
    table.row("in all", &cost);
    let per_message = |dollars: f64| format!("{dollars:.2}");
    #[expect(clippy::cast_precision_loss, reason = "hundreds")]
    let batch = sent as f64 / cost.batches() as f64;
    table.line("messages per batch", &format!("{batch:.2}"));
    table.line(
        "dollars per million, at rest",
        &per_message(dollars_per_million(&alone, &rounds, 1)),
    );
    let dollars = dollars_per_million(&cost, &rounds, sent);
    table.line("dollars per million, so many at once", &per_message(dollars));
    table.print();
    assert_eq!(cost.posts(), sent);
    assert!(dollars <= 6.0, "${dollars:.2}");
}

#[tokio::test]
async fn a_send_costs_the_same_in_a_pair_and_in_a_group_of_a_thousand() {
    let (world, ledger) = world().await;
    let ada = world.person("ada").await;
    let others = crowd(&world, 999).await;
    let mut table = Table::new("send in a group");
    let mut costs = Vec::new();
    for size in [1, 9, 99, 999] {
        let members: Vec<&Person> = others.iter().take(size).collect();
        let conversation = ada.open_group("Sizes", &members).await;
        let cost = send(&world, &ledger, &ada, &conversation, &mut [])
            .await
            .part("SendMessage");
        table.row(&format!("of {}", size + 1), &cost);
        let bill = cost.bill;
        costs.push((bill.calls(), bill.rounds(), bill.reads(), bill.writes()));
    }
    table.print();
    assert!(costs.iter().all(|cost| *cost == costs[0]), "{costs:?}");
    let (_, rounds, reads, writes) = costs[0];
    assert!(rounds <= 3 && reads <= 2.0 && writes <= 8.0, "{costs:?}");
}

#[tokio::test]
async fn a_message_to_a_group_costs_a_post_for_each_who_is_online() {
    const MEMBERS: usize = 100;
    const ONLINE: usize = 30;
    let (world, ledger) = world().await;
    let ada = world.person("ada").await;
    let others = crowd(&world, MEMBERS - 1).await;
    let conversation = ada
        .open_group("Hundred", &others.iter().collect::<Vec<_>>())
        .await;
    let mut listeners = Vec::new();
    for other in others.iter().take(ONLINE) {
        listeners.push(other.connect().await);
    }
    let cost = send(&world, &ledger, &ada, &conversation, &mut listeners).await;
    // Missed messages are recorded after a grace period, for all messages of that period together.
    let noted = Cost::of(&world, &ledger, world.bring_offline_forward()).await;
    let dollars = dollars_per_million(&cost, &rounds(&cost), 1);
    let mut table = Table::new("group of 100, 30 online");
    table.row("send", &cost.part("SendMessage"));
    table.row("deliver", &cost.part("Deliver"));
    table.row("in all", &cost);
    table.row("noting who missed two messages", &noted);
    table.line("dollars per million, up to the frames", &format!("{dollars:.2}"));
    let later = dollars_per_million(&noted, &rounds(&noted), 2);
    table.line("dollars per million, noted later", &format!("{later:.2}"));
    table.print();
    assert_eq!(cost.posts(), ONLINE);
    assert!(
        cost.bill.writes() <= 3.0 && cost.bill.reads() <= 54.5,
        "{cost:#?}"
    );
    assert!(dollars <= 42.0, "${dollars:.2}");

    // Many groups of the same people with continuous messages: several jobs per batch.
    const GROUPS: usize = 20;
    const EACH: usize = 6;
    let mut groups = Vec::new();
    for number in 0..GROUPS {
        let name = format!("Hundred {number}");
        let group = ada.open_group(&name, &others.iter().collect::<Vec<_>>()).await;
        // Somebody who is not online.
        let talker = &others[ONLINE + number];
        talker.says(&group, "warm").await;
        groups.push((talker, group));
    }
    let rounds = rounds(&cost);
    let talks = groups.iter().map(async |(talker, group)| {
        for _ in 0..EACH {
            talker.says(group, "counted").await;
        }
    });
    let cost = Cost::of(&world, &ledger, futures::future::join_all(talks)).await;
    let sent = GROUPS * EACH;
    let dollars = dollars_per_million(&cost, &rounds, sent);
    let mut table = Table::new(&format!("{GROUPS} groups of 100, 30 online, {sent} messages"));
    table.row("in all", &cost);
    #[expect(clippy::cast_precision_loss, reason = "hundreds")]
    let batch = sent as f64 / cost.batches() as f64;
    table.line("messages per batch", &format!("{batch:.2}"));
    table.line("dollars per million", &format!("{dollars:.2}"));
    table.print();
    assert_eq!(cost.posts(), sent * ONLINE);
    assert!(dollars <= 42.0, "${dollars:.2}");
}
