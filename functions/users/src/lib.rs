//! Users: who the caller is.

pub mod get_me;

use shared::lambda::Function;

shared::functions! {
    GET_ME = Function::http::<get_me::GetMe>();
}
