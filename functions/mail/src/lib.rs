//! Mail: subjects and bodies, in boxes with separate flags for each side (S0, contract §4).

pub mod delete_mail;
pub mod get_mail;
pub mod get_mail_stats;
pub mod list_mail;
pub mod send_mail;
pub mod update_mail;
pub mod update_mails;

mod examples;

use shared::lambda::Function;

shared::functions! {
    in "messaging";
    DELETE_MAIL = Function::http::<delete_mail::DeleteMail>();
    GET_MAIL = Function::http::<get_mail::GetMail>();
    GET_MAIL_STATS = Function::http::<get_mail_stats::GetMailStats>();
    LIST_MAIL = Function::http::<list_mail::ListMail>();
    SEND_MAIL = Function::http::<send_mail::SendMail>();
    UPDATE_MAIL = Function::http::<update_mail::UpdateMail>();
    UPDATE_MAILS = Function::http::<update_mails::UpdateMails>();
}
