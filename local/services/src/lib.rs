//! The AWS services of the desk, in this process: the table, the queues, the buckets and the `@connections` API.
//!
//! Functions use their normal clients, with a connector ([`Services::connector`]) that opens no socket: it reads the
//! host of the request ([`Service::endpoint`]) and calls the service directly.
//!
//! | Service | From | Data |
//! |---|---|---|
//! | `DynamoDB` | `dynoxide` | `dynamodb.sqlite` |
//! | SQS | [`Queues`] | `queues.sqlite` |
//! | S3 | `s3s`, `s3s-fs` ([`Objects`]) | `s3/` |
//! | `@connections` | whoever implements [`Connections`] | none |
//!
//! Acknowledged data survives `kill -9`. A call that the caller's role does not allow is refused ([`Rights`]). Every
//! call passes an [`Interceptor`], if one is set, for fault injection and cost measurement.

mod answer;
mod client;
mod connections;
mod dynamodb;
mod interceptor;
mod lost;
mod objects;
mod queues;
mod rights;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use dynoxide::{Database, DynoxideError};
use serde_json::Value;

pub use client::Lost;
pub use connections::{ConnectionInfo, Connections, PostError};
pub use dynamodb::TableSpec;
pub use interceptor::{AwsError, Call, Interceptor, Service, Verdict};
pub use lost::lost;
pub use objects::{Objects, SECRET_KEY};
pub use queues::{Clock, Delivery, Depth, Outgoing, Peeked, QueueError, QueueSpec, Queues, Received, State};
pub use rights::{Right, Rights, Statement};

/// The folder of the buckets, in the data folder.
const OBJECTS: &str = "s3";

/// Where the data is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storage {
    /// In memory, with objects in a temporary folder.
    Memory,
    /// In this folder, which is created if necessary.
    Folder(PathBuf),
}

/// Why the services could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The data folder or a bucket's folder.
    #[error("the data folder can't be used: {0}")]
    Folder(#[from] std::io::Error),
    /// The table.
    #[error("the table can't be used: {0}")]
    Database(#[from] DynoxideError),
    /// The queues.
    #[error("the queues can't be used: {0}")]
    Queues(#[from] QueueError),
    /// The buckets.
    #[error("the buckets can't be used: {0}")]
    Objects(String),
}

/// The services of one desk. Clones are the same services.
#[derive(Clone)]
pub struct Services {
    shared: Arc<Shared>,
}

struct Shared {
    database: Database,
    replica: dynamodb::Replica,
    queues: Queues,
    objects: Objects,
    connections: RwLock<Option<Arc<dyn Connections>>>,
    interceptor: RwLock<Option<Arc<dyn Interceptor>>>,
    rights: RwLock<Option<Arc<Rights>>>,
    /// Deleted together with the services.
    _temporary: Option<tempfile::TempDir>,
}

impl Services {
    /// Opens the services with existing data.
    pub fn open(storage: Storage) -> Result<Self, OpenError> {
        let (folder, temporary) = match storage {
            Storage::Folder(folder) => (Some(folder), None),
            Storage::Memory => (None, Some(tempfile::tempdir()?)),
        };
        let object_folder = match (&folder, &temporary) {
            (Some(folder), _) => folder.join(OBJECTS),
            (None, Some(temporary)) => temporary.path().to_owned(),
            (None, None) => std::env::temp_dir(),
        };
        std::fs::create_dir_all(&object_folder)?;
        Ok(Self {
            shared: Arc::new(Shared {
                database: dynamodb::open(folder.as_deref())?,
                replica: dynamodb::Replica::default(),
                queues: Queues::open(folder.as_deref())?,
                objects: Objects::open(&object_folder).map_err(OpenError::Objects)?,
                connections: RwLock::default(),
                interceptor: RwLock::default(),
                rights: RwLock::default(),
                _temporary: temporary,
            }),
        })
    }

    /// Creates the table unless one of that name exists, whatever its schema.
    pub fn create_table(&self, spec: &TableSpec) -> Result<(), OpenError> {
        Ok(dynamodb::ensure_table(self.database(), spec)?)
    }

    /// Loads items in DynamoDB JSON unconditionally, bypassing every interceptor; returns their number. Much faster
    /// than writing them: for tables that are large from the start.
    pub fn import(&self, table: &str, items: Vec<Value>) -> Result<usize, DynoxideError> {
        dynamodb::import(self.database(), table, items)
    }

    /// Creates the queue, or updates its settings.
    pub fn create_queue(&self, spec: QueueSpec) {
        self.queues().ensure(spec);
    }

    /// Creates the bucket unless it exists.
    pub fn create_bucket(&self, name: &str) -> Result<(), OpenError> {
        Ok(self.objects().ensure_bucket(name)?)
    }

    /// Deletes expired items and returns their number. AWS does this within days. Blocks the thread.
    pub fn sweep_ttl(&self) -> Result<usize, DynoxideError> {
        self.database().sweep_ttl()
    }

    /// The connector of a function's clients.
    pub fn connector(&self, function: &str) -> SharedHttpConnector {
        SharedHttpConnector::new(client::InProcess {
            services: self.clone(),
            function: Arc::from(function),
        })
    }

    /// The queues.
    pub fn queues(&self) -> &Queues {
        &self.shared.queues
    }

    /// The database of the table.
    pub fn database(&self) -> &Database {
        &self.shared.database
    }

    /// Holds eventually consistent reads at the current state of the table. For tests; calling it again moves them to
    /// the state at that time.
    pub fn hold_eventual_reads(&self) -> Result<(), OpenError> {
        self.shared.replica.hold(self.database())
    }

    /// Makes eventually consistent reads current again, as they are unless held.
    pub fn release_eventual_reads(&self) {
        self.shared.replica.release();
    }

    /// The buckets.
    pub fn objects(&self) -> &Objects {
        &self.shared.objects
    }

    /// Connects the `@connections` API to the gateway that holds the connections.
    pub fn set_connections(&self, connections: Arc<dyn Connections>) {
        *self
            .shared
            .connections
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Some(connections);
    }

    /// Sets or removes the interceptor of every call.
    pub fn set_interceptor(&self, interceptor: Option<Arc<dyn Interceptor>>) {
        *self
            .shared
            .interceptor
            .write()
            .unwrap_or_else(PoisonError::into_inner) = interceptor;
    }

    /// Enforces the functions' roles from now on.
    pub fn set_rights(&self, rights: Rights) {
        let rights = Arc::new(rights);
        self.objects().set_rights(Arc::clone(&rights));
        *self.shared.rights.write().unwrap_or_else(PoisonError::into_inner) = Some(rights);
    }

    /// The rights of functions, if they are enforced.
    pub fn rights(&self) -> Option<Arc<Rights>> {
        self.shared
            .rights
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn connections(&self) -> Option<Arc<dyn Connections>> {
        self.shared
            .connections
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn interceptor(&self) -> Option<Arc<dyn Interceptor>> {
        self.shared
            .interceptor
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
