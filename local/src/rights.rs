//! The rights of functions on the desk: what the template allows their roles.

use local_gateway::template::Template;
use local_services::{Rights, Statement};
use serde_json::Value;

/// The rights of every function, by the statements that the template gives its role.
pub fn of(template: &Template) -> Rights {
    let mut rights = Rights::new(&template.websocket.arn);
    for table in &template.tables {
        for (index, attribute) in partition_keys(&table.create_table) {
            rights = rights.with_partition_key(&table.name, index, attribute);
        }
    }
    for function in &template.functions {
        let statements: Vec<_> = function
            .statements
            .iter()
            .map(|statement| Statement {
                allows: statement.allows,
                actions: statement.actions.clone(),
                resources: statement.resources.clone(),
                leading_keys: statement.leading_keys.clone(),
            })
            .collect();
        rights = rights.with(&function.logical_id, &statements);
    }
    rights
}

/// The attribute of the partition key of a table and of each of its indexes, by the request that makes it.
fn partition_keys(create_table: &Value) -> Vec<(Option<&str>, &str)> {
    let list = |of: &'static str| {
        create_table
            .get(of)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let indexes = list("GlobalSecondaryIndexes").chain(list("LocalSecondaryIndexes"));
    let named = indexes.map(|index| (index.get("IndexName").and_then(Value::as_str), index));
    std::iter::once((None, create_table))
        .chain(named)
        .filter_map(|(name, keys)| {
            let mut schema = keys.get("KeySchema")?.as_array()?.iter();
            let key = schema.find(|key| key.get("KeyType").and_then(Value::as_str) == Some("HASH"))?;
            Some((name, key.get("AttributeName")?.as_str()?))
        })
        .collect()
}
