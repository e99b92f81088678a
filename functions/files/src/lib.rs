//! Files: uploads to S3 and short links to them (contract §4, *attachments*).

use shared::lambda::Function;

/// Every function of this domain.
pub fn functions() -> Vec<Function> {
    vec![]
}
