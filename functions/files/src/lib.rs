//! Files: uploads to S3 and links to them (contract §4, *attachments*).
//!
//! [`create_file`] gives a form, the client posts the file to S3 itself, [`complete_file`] checks the upload, and
//! [`get_file`] gives a link to those who may read the file. Files that are not attached to any message within a day
//! are removed by [`remove_orphans`].

pub mod complete_file;
pub mod create_file;
pub mod get_file;
pub mod remove_orphans;

mod examples;

use shared::lambda::Function;

shared::functions! {
    in "messaging";
    COMPLETE_FILE = Function::http::<complete_file::CompleteFile>();
    CREATE_FILE = Function::http::<create_file::CreateFile>();
    GET_FILE = Function::http::<get_file::GetFile>();
    REMOVE_ORPHANS = Function::schedule::<remove_orphans::RemoveOrphans>();
}
