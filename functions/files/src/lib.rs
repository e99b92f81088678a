//! Files: uploads to S3 and short links to them (contract §4, *attachments*).
//!
//! [`create_file`] gives a form, the client posts the file to S3 itself, [`complete_file`] looks at what came, and
//! [`get_file`] gives a link to whoever may have it. What is sent to nobody within a day is removed by
//! [`remove_orphans`].

pub mod complete_file;
pub mod create_file;
pub mod get_file;
pub mod remove_orphans;

mod examples;

use shared::lambda::Function;

shared::functions! {
    COMPLETE_FILE = Function::http::<complete_file::CompleteFile>();
    CREATE_FILE = Function::http::<create_file::CreateFile>();
    GET_FILE = Function::http::<get_file::GetFile>();
    REMOVE_ORPHANS = Function::schedule::<remove_orphans::RemoveOrphans>();
}
