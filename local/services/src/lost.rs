//! Detection of missing data in a data folder.
//!
//! Every part creates what it does not find: an empty table in place of a deleted one would look as if nothing had ever
//! been stored.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::{dynamodb, queues};

/// The missing or empty part of a folder's data, if the folder was complete before.
pub fn lost(folder: &Path) -> Option<&'static str> {
    let databases = [dynamodb::FILE, queues::FILE];
    let lost = databases.into_iter().find(|name| !has_tables(&folder.join(name)));
    lost.or_else(|| (!folder.join(crate::OBJECTS).is_dir()).then_some(crate::OBJECTS))
}

/// Whether a database has a table. One that cannot be read is not lost: opening it will report the error.
fn has_tables(path: &Path) -> bool {
    if !path.is_file() {
        return false;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let count = Connection::open_with_flags(path, flags).and_then(|database| {
        database.query_row("SELECT count(*) FROM sqlite_master", [], |row| {
            row.get::<_, i64>(0)
        })
    });
    count.is_err() || count.is_ok_and(|count| count > 0)
}
