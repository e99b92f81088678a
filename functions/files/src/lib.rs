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

/// Every function of this domain.
pub fn functions() -> Vec<Function> {
    vec![
        complete_file::function(),
        create_file::function(),
        get_file::function(),
        remove_orphans::function(),
    ]
}
