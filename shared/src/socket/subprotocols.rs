//! `Sec-WebSocket-Protocol`: what a client offers, and what is chosen of it.
//!
//! A browser cannot set other headers on a WebSocket, so a token may come as the protocol after `bearer`.

/// The protocols that a client offers, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subprotocols<'a>(Vec<&'a str>);

impl<'a> Subprotocols<'a> {
    /// The name of the header.
    pub const HEADER: &'static str = "Sec-WebSocket-Protocol";

    /// What the lines of the header offer: several lines are one list (RFC 6455 §11.3.4).
    pub fn of_lines(lines: impl IntoIterator<Item = &'a str>) -> Self {
        let names = lines.into_iter().flat_map(|line| line.split(','));
        Self(names.map(str::trim).filter(|name| !name.is_empty()).collect())
    }

    /// The protocol to choose, as the client spelled it: a client refuses what it has not offered, letter by letter
    /// (RFC 6455 §4.1, §4.2.2).
    pub fn chosen(&self) -> Option<&'a str> {
        let place = self.bearer()?;
        self.0.get(place).copied()
    }

    /// The token, which follows `bearer`.
    pub fn token(&self) -> Option<&'a str> {
        let place = self.bearer()?;
        self.0.get(place + 1).copied()
    }

    fn bearer(&self) -> Option<usize> {
        self.0.iter().position(|name| name.eq_ignore_ascii_case("bearer"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_list_may_be_cut_into_lines_anywhere(names in proptest::collection::vec("[!-+\\-.0-9A-Za-z]{1,12}", 1..6), cuts in any::<u8>()) {
            let mut lines: Vec<Vec<&str>> = vec![Vec::new()];
            for (place, name) in names.iter().enumerate() {
                if cuts >> place & 1 == 1 {
                    lines.push(Vec::new());
                }
                lines.last_mut().unwrap().push(name);
            }
            let lines: Vec<String> = lines.iter().map(|names| names.join(" , ")).collect();
            let offered = Subprotocols::of_lines(lines.iter().map(String::as_str));
            let whole = names.join(",");
            prop_assert_eq!(offered, Subprotocols::of_lines([whole.as_str()]));
        }
    }

    #[test]
    fn the_scheme_is_chosen_as_it_was_spelled() {
        for scheme in ["bearer", "Bearer", "BEARER"] {
            let line = format!("chat, {scheme} ,token");
            let offered = Subprotocols::of_lines([line.as_str()]);
            assert_eq!((offered.chosen(), offered.token()), (Some(scheme), Some("token")));
        }
        let offered = Subprotocols::of_lines(["chat"]);
        assert_eq!((offered.chosen(), offered.token()), (None, None));
    }
}
