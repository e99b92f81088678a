//! Users: who the caller is, and who others are.

pub mod get_me;
pub mod get_user;

use shared::lambda::Function;

shared::functions! {
    in "messaging";
    GET_ME = Function::http::<get_me::GetMe>();
    GET_USER = Function::http::<get_user::GetUser>();
}
