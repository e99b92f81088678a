//! The WebSocket: opening, frames from the server and from clients, closing (S1-E09, S1-W01 to S1-W08).

mod clients;
mod credentials;
mod ends;
mod opening;
mod pushes;
mod remembered;
mod typing;
