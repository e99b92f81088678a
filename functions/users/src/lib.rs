//! Users: who the caller is.

pub mod get_me;

use shared::lambda::Function;

shared::functions! {
    in "messaging";
    GET_ME = Function::http::<get_me::GetMe>();
}
