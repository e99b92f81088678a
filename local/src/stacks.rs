//! The stacks of functions, by the paths that the template has for them. `UPDATE=1 cargo t in_sync` writes it.

/// Path and template of each.
#[rustfmt::skip] // As it is written.
pub(crate) const STACKS: &[(&str, &str)] = &[
    ("stacks/messaging.yaml", include_str!("../../stacks/messaging.yaml")),
];
