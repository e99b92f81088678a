//! Mail: subjects and bodies, in boxes with own flags (S0, contract §4).

pub mod delete_mail;
pub mod get_mail;
pub mod get_mail_stats;
pub mod list_mail;
pub mod send_mail;
pub mod update_mail;
pub mod update_mails;

mod examples;

use shared::lambda::Function;

/// Every function of this domain.
pub fn functions() -> Vec<Function> {
    vec![
        delete_mail::function(),
        get_mail::function(),
        get_mail_stats::function(),
        list_mail::function(),
        send_mail::function(),
        update_mail::function(),
        update_mails::function(),
    ]
}
