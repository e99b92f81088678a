//! Queues, settings and the table.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use shared::config::Config;
use shared::lambda::{Function, Trigger};
use shared::queue::{MOST_RECEIVES, Queue};
use shared::store::keys;

use super::{assert_same, at, fields, logical_id, nested_stacks, resources, template};

/// How much longer a queue hides a message than its worker may take.
/// Source: AWS, *Configuring an Amazon SQS queue to use with Lambda*.
const VISIBILITY_PER_TIMEOUT: u64 = 6;

#[test]
fn every_queue_has_its_worker_and_its_dead_letters() {
    let template = template();
    let mut worked_off = BTreeMap::new();
    for function in local::functions() {
        let Trigger::Queue(entry) = &function.trigger else {
            continue;
        };
        let (id, queue) = (logical_id(function.name), entry.queue.resource());
        worked_off.insert(queue, id.clone());
        let mapping = template
            .mappings
            .iter()
            .find(|mapping| mapping.function == id && mapping.queue == queue);
        let event =
            format!("template.yaml, {id}: Events with Type: SQS, Queue: !GetAtt {queue}.Arn, BatchSize: 10");
        let mapping = mapping.unwrap_or_else(|| panic!("{event}"));
        assert!(
            mapping.reports_batch_item_failures,
            "template.yaml, {id}: FunctionResponseTypes: [ReportBatchItemFailures], or a failed job takes its batch along"
        );
        let timeout = template
            .function(&id)
            .map_or(0, |function| function.timeout_seconds);
        let queue = template
            .queue(queue)
            .unwrap_or_else(|| panic!("template.yaml has no {queue}"));
        assert!(
            queue.visibility_timeout_seconds >= VISIBILITY_PER_TIMEOUT * timeout,
            "template.yaml, {}: VisibilityTimeout: {}",
            queue.logical_id,
            VISIBILITY_PER_TIMEOUT * timeout
        );
        let redrive = queue.redrive.as_ref();
        let redrive = redrive
            .unwrap_or_else(|| panic!("template.yaml, {}: RedrivePolicy is missing", queue.logical_id));
        assert_eq!(
            redrive.max_receive_count,
            u64::from(MOST_RECEIVES),
            "template.yaml, {}: workers know by MOST_RECEIVES which try is the last",
            queue.logical_id
        );
        let dead_letters = template
            .queue(&redrive.dead_letter_queue)
            .map_or(0, |queue| queue.retention_seconds);
        assert!(
            dead_letters > queue.retention_seconds,
            "template.yaml, {}: MessageRetentionPeriod: 1209600; a letter keeps the age that it had",
            redrive.dead_letter_queue
        );
    }
    let all: Vec<&str> = Queue::ALL.iter().map(|queue| queue.resource()).collect();
    assert_eq!(
        worked_off.into_keys().collect::<Vec<_>>(),
        all,
        "queues and those with a worker"
    );
    assert_eq!(
        template.mappings.len(),
        all.len(),
        "template.yaml maps a queue that the code does not know"
    );
}

#[test]
fn every_chore_has_its_schedule() {
    let is_chore = |function: &Function| matches!(function.trigger, Trigger::Schedule(_));
    let wanted = local::functions()
        .iter()
        .filter(|function| is_chore(function))
        .map(|function| logical_id(function.name))
        .collect();
    let schedules = template().schedules;
    let found = schedules
        .iter()
        .map(|schedule| schedule.function.clone())
        .collect();
    assert_same("template.yaml, under Resources", &wanted, &found, |id| {
        format!(
            "  {id}:\n    Properties:\n      Events:\n        Hourly:\n          Type: ScheduleV2\n          \
             Properties:\n            ScheduleExpression: rate(1 hour)"
        )
    });
    for schedule in schedules {
        assert!(
            local::schedules::period(&schedule.expression).is_some(),
            "template.yaml, {}: the desk keeps rates such as rate(1 hour), not {}",
            schedule.function,
            schedule.expression
        );
    }
}

#[test]
fn every_function_gets_every_setting_and_the_secrets_that_it_uses() {
    let wanted: BTreeSet<String> = Config::NAMES
        .iter()
        .chain([&shared::ALLOCATOR_SETTING])
        .map(|name| (*name).to_owned())
        .collect();
    let functions = local::functions();
    for (path, stack) in nested_stacks() {
        let variables = at(&stack, &["Globals", "Function", "Environment", "Variables"]);
        let found = fields(variables).map(|(name, _)| name.to_owned()).collect();
        assert_same(
            &format!("{path}, under Globals and `Variables`"),
            &wanted,
            &found,
            |name| format!("        {name}: …"),
        );
        for (id, kind, properties) in resources(&stack) {
            if kind != "AWS::Serverless::Function" {
                continue;
            }
            let variables = at(properties, &["Environment", "Variables"]);
            let given: Vec<&str> = fields(variables).map(|(name, _)| name).collect();
            let setting = given.iter().find(|name| !Config::SECRETS.contains(name));
            assert_eq!(
                setting, None,
                "{path}, {id}: settings go to Globals, for all alike"
            );
            let function = functions.iter().find(|function| logical_id(function.name) == id);
            assert_eq!(
                given.contains(&"JWT_SECRET_KEY"),
                function.is_some_and(Function::verifies_tokens),
                "{path}, {id}: JWT_SECRET_KEY is for functions that are told by a token who is calling"
            );
            // Whoever has a secret has the one before it, and nobody else.
            for (name, secret) in [
                ("CURSOR_SECRET_KEY", "CursorSecretKey"),
                ("JWT_SECRET_KEY", "JwtSecretKey"),
            ] {
                let refers = |name: &str, parameter: &str| match at(variables, &[name]) {
                    serde_yaml_ng::Value::Tagged(value) => {
                        value.tag == "Ref" && value.value.as_str() == Some(parameter)
                    }
                    _ => false,
                };
                let (previous, of_previous) = (format!("{name}_PREVIOUS"), format!("{secret}Previous"));
                let found = (refers(name, secret), refers(&previous, &of_previous));
                let is_given = given.contains(&name) || given.contains(&previous.as_str());
                assert_eq!(
                    found,
                    (is_given, is_given),
                    "{path}, {id}: {name}: !Ref {secret} and {previous}: !Ref {of_previous} go together"
                );
            }
        }
    }
}

/// Whoever has the key of the audit log can forge it, so only the functions that audit have it: the routes that need a
/// permission, and those that work on the log or record for users.
#[test]
fn the_functions_that_audit_have_the_key_of_the_audit_log_and_no_other() {
    let audits = |function: &Function| match &function.trigger {
        Trigger::Http(entry) => entry.route.needs.is_some(),
        _ => ["anchor_audit", "deliver", "restore_audit"].contains(&function.name),
    };
    let wanted = local::functions()
        .iter()
        .filter(|function| audits(function))
        .map(|function| logical_id(function.name))
        .collect();
    let has_key = |properties: &serde_yaml_ng::Value| {
        !at(properties, &["Environment", "Variables", Config::AUDIT_SECRET]).is_null()
    };
    let mut found = BTreeSet::new();
    for (_, stack) in nested_stacks() {
        let audits = resources(&stack).filter(|(_, _, properties)| has_key(properties));
        found.extend(audits.map(|(id, ..)| id.to_owned()));
    }
    assert_same(
        "the functions that have AUDIT_SECRET_KEY in their `Variables`",
        &wanted,
        &found,
        |id| format!("  {id}: AUDIT_SECRET_KEY: !Ref AuditSecretKey"),
    );
}

#[test]
fn the_table_has_the_keys_that_the_store_uses() {
    let tables = template().tables;
    let [table] = tables.as_slice() else {
        panic!("template.yaml: one table, not {}", tables.len())
    };
    let key = |partition: &str, sort: &str| json!([{ "AttributeName": partition, "KeyType": "HASH" }, { "AttributeName": sort, "KeyType": "RANGE" }]);
    let names = [
        keys::PARTITION,
        keys::SORT,
        keys::BY_USER_PARTITION,
        keys::BY_USER_SORT,
    ];
    let wanted = json!({
        "AttributeDefinitions": names.map(|name| json!({ "AttributeName": name, "AttributeType": "S" })),
        "KeySchema": key(keys::PARTITION, keys::SORT),
        "GlobalSecondaryIndexes": [{
            "IndexName": keys::BY_USER,
            "KeySchema": key(keys::BY_USER_PARTITION, keys::BY_USER_SORT),
            "Projection": { "ProjectionType": "KEYS_ONLY" },
        }],
    });
    for (field, wanted) in wanted.as_object().into_iter().flatten() {
        let found = table.create_table.get(field);
        assert_eq!(
            found,
            Some(wanted),
            "template.yaml, Table: {field} should be {wanted}"
        );
    }
    assert_eq!(
        table.ttl_attribute.as_deref(),
        Some(keys::EXPIRES),
        "template.yaml, Table: TimeToLiveSpecification"
    );
}
