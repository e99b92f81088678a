//! The table: the JSON API of `DynamoDB` over the embedded database.

use std::path::Path;
use std::sync::{PoisonError, RwLock};

use dynoxide::{Database, DynoxideError, ImportOptions};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tempfile::TempDir;

use crate::OpenError;
use crate::answer::{self, Answer};
use crate::interceptor::{AwsError, Service};

/// The prefix of `X-Amz-Target`.
pub(crate) const TARGET_PREFIX: &str = "DynamoDB_20120810.";

/// The database file, in the data folder.
pub(crate) const FILE: &str = "dynamodb.sqlite";

/// A table to create if it does not exist.
#[derive(Debug, Clone)]
pub struct TableSpec {
    /// The body of a `CreateTable` request.
    pub create_table_json: Value,
    /// The attribute with an item's expiry, in seconds since 1970.
    pub ttl_attribute: Option<String>,
}

/// Opens the database, in `folder` or in memory.
pub(crate) fn open(folder: Option<&Path>) -> Result<Database, DynoxideError> {
    let Some(folder) = folder else {
        return Database::memory();
    };
    let database = Database::new(&uri(&folder.join(FILE)))?;
    // Turns `synchronous` off: a commit no longer waits for the disk, which takes 4 ms. The database keeps a
    // write-ahead log, whose writes are held by the kernel: every acknowledged write survives `kill -9`. Only a power
    // failure can lose the last moments.
    database.enable_bulk_loading()?;
    Ok(database)
}

/// Opens the database file for this process alone, locked once instead of at each access: a folder has only one desk.
/// Source: `SQLite`, *The `SQLite` OS Interface or "VFS"*, `unix-excl`, and *Uniform Resource Identifiers*.
fn uri(path: &Path) -> String {
    const SPECIAL: &AsciiSet = &CONTROLS.add(b'%').add(b'?').add(b'#');
    let path = path.to_string_lossy();
    format!("file:{}?vfs=unix-excl", utf8_percent_encode(&path, SPECIAL))
}

/// Creates the table unless it exists.
pub(crate) fn ensure_table(database: &Database, spec: &TableSpec) -> Result<(), DynoxideError> {
    let request = read(spec.create_table_json.to_string().as_bytes())?;
    match database.create_table(request) {
        Ok(_) | Err(DynoxideError::ResourceInUseException(_)) => {}
        Err(error) => return Err(error),
    }
    let Some(attribute) = &spec.ttl_attribute else {
        return Ok(());
    };
    let table = spec
        .create_table_json
        .get("TableName")
        .cloned()
        .unwrap_or_default();
    let asked = serde_json::json!({ "TableName": table });
    let described = database.describe_time_to_live(read(asked.to_string().as_bytes())?)?;
    let described = serde_json::to_value(described).unwrap_or_default();
    if described
        .pointer("/TimeToLiveDescription/TimeToLiveStatus")
        .and_then(Value::as_str)
        == Some("ENABLED")
    {
        return Ok(());
    }
    let enable = serde_json::json!({
        "TableName": table,
        "TimeToLiveSpecification": { "AttributeName": attribute, "Enabled": true },
    });
    database.update_time_to_live(read(enable.to_string().as_bytes())?)?;
    Ok(())
}

/// Loads items in one transaction, indexes included.
pub(crate) fn import(database: &Database, table: &str, items: Vec<Value>) -> Result<usize, DynoxideError> {
    let items = items
        .into_iter()
        .map(|item| serde_json::from_value(item).map_err(|error| unreadable(&error.to_string())))
        .collect::<Result<Vec<_>, _>>()?;
    let imported = database.import_items(table, items, ImportOptions::default())?;
    Ok(imported.items_imported)
}

/// Whether responses include the consumed capacity even if the caller did not ask.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Capacity {
    AsAsked,
    Always,
}

/// A table whose eventually consistent reads may lag, as those of DynamoDB may: they are answered from a copy.
/// Source: AWS, *`DynamoDB` read consistency*.
#[derive(Default)]
pub(crate) struct Replica {
    held: RwLock<Option<Held>>,
}

struct Held {
    database: Database,
    /// Deleted together with the copy.
    _folder: TempDir,
}

impl Replica {
    /// Starts lagging: eventually consistent reads show the current state of `database`, whatever is written to it
    /// later.
    pub(crate) fn hold(&self, database: &Database) -> Result<(), OpenError> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("replica.sqlite");
        let path = path.to_string_lossy();
        database.vacuum_into(&path)?;
        let held = Held {
            database: Database::new(&path)?,
            _folder: folder,
        };
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Some(held);
        Ok(())
    }

    /// Stops lagging.
    pub(crate) fn release(&self) {
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Whether an operation is an eventually consistent read.
fn reads_eventually(operation: &str, body: &[u8]) -> bool {
    let Ok(request) = serde_json::from_slice::<Value>(body) else {
        return false;
    };
    let is_strong = |part: &Value| part.get("ConsistentRead") == Some(&Value::Bool(true));
    match operation {
        "GetItem" | "Query" | "Scan" => !is_strong(&request),
        "BatchGetItem" => {
            let tables = request.get("RequestItems").and_then(Value::as_object);
            tables.is_some_and(|tables| !tables.values().any(is_strong))
        }
        _ => false,
    }
}

/// Answers one request.
pub(crate) fn answer(
    (database, replica): (&Database, &Replica),
    operation: &str,
    body: &[u8],
    capacity: Capacity,
) -> Answer {
    let held = replica.held.read().unwrap_or_else(PoisonError::into_inner);
    let database = match &*held {
        Some(held) if reads_eventually(operation, body) => &held.database,
        _ => database,
    };
    let measured = match capacity {
        Capacity::Always => with_capacity(operation, body),
        Capacity::AsAsked => None,
    };
    match run(database, operation, measured.as_deref().unwrap_or(body)) {
        Ok(Some(body)) => answer::json(Service::DynamoDb, 200, body),
        Ok(None) => {
            let message = format!("The desk's DynamoDB has no operation {operation}");
            answer::error(
                Service::DynamoDb,
                &AwsError::new(400, "UnknownOperationException", message),
            )
        }
        Err(error) => answer::json(Service::DynamoDb, error.status_code(), error.to_json()),
    }
}

/// Runs one operation; `None` if there is no such operation.
fn run(database: &Database, operation: &str, body: &[u8]) -> Result<Option<String>, DynoxideError> {
    match operation {
        "CreateTable" => write(&database.create_table(read(body)?)?),
        "DescribeTable" => write(&database.describe_table(read(body)?)?),
        "UpdateTimeToLive" => write(&database.update_time_to_live(read(body)?)?),
        "DescribeTimeToLive" => write(&database.describe_time_to_live(read(body)?)?),
        "GetItem" => write(&database.get_item(read(body)?)?),
        "PutItem" => write(&database.put_item(read(body)?)?),
        "UpdateItem" => write(&database.update_item(read(body)?)?),
        "DeleteItem" => write(&database.delete_item(read(body)?)?),
        "Query" => write(&database.query(read(body)?)?),
        "Scan" => write(&database.scan(read(body)?)?),
        "BatchGetItem" => write(&database.batch_get_item(read(body)?)?),
        "BatchWriteItem" => write(&database.batch_write_item(read(body)?)?),
        "TransactWriteItems" => write(&database.transact_write_items(read(body)?)?),
        "TransactGetItems" => write(&database.transact_get_items(read(body)?)?),
        _ => return Ok(None),
    }
    .map(Some)
}

/// The request with `ReturnConsumedCapacity` set, if the operation supports it.
fn with_capacity(operation: &str, body: &[u8]) -> Option<Vec<u8>> {
    if operation.contains("Table") || operation.contains("TimeToLive") {
        return None;
    }
    let mut request: serde_json::Map<String, Value> = serde_json::from_slice(body).ok()?;
    request.insert("ReturnConsumedCapacity".to_owned(), Value::from("INDEXES"));
    serde_json::to_vec(&request).ok()
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, DynoxideError> {
    serde_json::from_slice(body).map_err(|error| unreadable(&error.to_string()))
}

/// Classifies errors of the database's own decoding, which puts the kind before the message.
fn unreadable(message: &str) -> DynoxideError {
    let (mark, text) = message.split_once(':').unwrap_or(("", message));
    let text = text
        .rsplit_once(" at line ")
        .map_or(text, |(text, _)| text)
        .to_owned();
    match mark {
        "VALIDATION" | "VALIDATION_REQUEST" | "VALIDATION_AS_READ" => {
            DynoxideError::ValidationException(text)
        }
        "SERIALIZATION" | "SERIALIZATION_AS_READ" => DynoxideError::SerializationException(text),
        _ if message.contains("missing field") || message.contains("AttributeValue") => {
            DynoxideError::ValidationException(message.to_owned())
        }
        _ => DynoxideError::SerializationException(message.to_owned()),
    }
}

fn write<T: Serialize>(response: &T) -> Result<String, DynoxideError> {
    serde_json::to_string(response).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}
