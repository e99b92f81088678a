//! Direct access to the table, for tests about what is stored.

use bytes::Bytes;
use local_services::{Service, Services};
use serde_json::{Value, json};

use crate::world::World;

impl World {
    /// The attributes of an item in DynamoDB JSON; none if it does not exist. See `shared/src/store/keys.rs` for the
    /// keys.
    pub async fn stored(&self, partition: &str, sort: &str) -> Option<Value> {
        let key = json!({ "pk": { "S": partition }, "sk": { "S": sort } });
        let answer = self
            .dynamodb(
                "GetItem",
                json!({ "TableName": TABLE, "Key": key, "ConsistentRead": true }),
            )
            .await;
        answer.get("Item").cloned()
    }

    /// The items of a partition, in order.
    pub async fn stored_in(&self, partition: &str) -> Vec<Value> {
        let body = json!({
            "TableName": TABLE,
            "KeyConditionExpression": "pk = :partition",
            "ExpressionAttributeValues": { ":partition": { "S": partition } },
            "ConsistentRead": true,
        });
        let answer = self.dynamodb("Query", body).await;
        answer["Items"].as_array().expect("items").clone()
    }

    /// Every item of the table.
    pub async fn everything_stored(&self) -> Vec<Value> {
        let (mut items, mut start) = (Vec::new(), Value::Null);
        loop {
            let mut body = json!({ "TableName": TABLE, "ConsistentRead": true });
            if !start.is_null() {
                body["ExclusiveStartKey"] = start;
            }
            let answer = self.dynamodb("Scan", body).await;
            items.extend(answer["Items"].as_array().expect("items").iter().cloned());
            start = answer["LastEvaluatedKey"].clone();
            if start.is_null() {
                return items;
            }
        }
    }

    /// Removes an item.
    pub async fn remove(&self, partition: &str, sort: &str) {
        let key = json!({ "pk": { "S": partition }, "sk": { "S": sort } });
        self.dynamodb("DeleteItem", json!({ "TableName": TABLE, "Key": key }))
            .await;
    }

    /// How many items have a partition key with this prefix.
    pub async fn count(&self, partition: &str) -> u64 {
        let body = json!({
            "TableName": TABLE,
            "Select": "COUNT",
            "ConsistentRead": true,
            "FilterExpression": "begins_with(pk, :partition)",
            "ExpressionAttributeValues": { ":partition": { "S": partition } },
        });
        let answer = self.dynamodb("Scan", body).await;
        answer["Count"].as_u64().expect("a count")
    }

    /// Writes items unconditionally.
    pub async fn store(&self, items: &[Value]) {
        for some in items.chunks(25) {
            let puts: Vec<Value> = some
                .iter()
                .map(|item| json!({ "PutRequest": { "Item": item } }))
                .collect();
            let answer = self
                .dynamodb("BatchWriteItem", json!({ "RequestItems": { TABLE: puts } }))
                .await;
            assert_eq!(answer["UnprocessedItems"], json!({}), "{answer}");
        }
    }

    /// The ids of a user's stored connections.
    pub async fn noted_connections(&self, user: uuid::Uuid) -> Vec<String> {
        let item = self.stored(&format!("U#{user}"), "CONNECTIONS").await;
        let fields = item
            .as_ref()
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        let mut ids: Vec<String> = fields
            .keys()
            .filter_map(|name| name.strip_prefix("c#"))
            .map(str::to_owned)
            .collect();
        ids.sort();
        ids
    }

    async fn dynamodb(&self, operation: &str, body: Value) -> Value {
        dynamodb(self.services(), operation, body).await
    }
}

/// Calls the table directly.
pub(crate) async fn dynamodb(services: &Services, operation: &str, body: Value) -> Value {
    let request = http::Request::post(Service::DynamoDb.endpoint())
        .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
        .body(Bytes::from(body.to_string()))
        .expect("a request");
    let answer = services
        .call("Harness", Service::DynamoDb, request)
        .await
        .expect("the table answers");
    let text = answer.body().bytes().unwrap_or_default();
    assert_eq!(
        answer.status().as_u16(),
        200,
        "{operation}: {}",
        String::from_utf8_lossy(text)
    );
    serde_json::from_slice(text).expect("the answer is JSON")
}

/// The name of the table on the desk.
pub(crate) const TABLE: &str = "Table";
