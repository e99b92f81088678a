//! Which encoding of a file a client prefers (RFC 9110 §12.5.3).

/// Whether an answer is to be compressed by gzip, by the header `Accept-Encoding` of its request.
///
/// A request without the header would take any encoding; it comes from programs that do not expect one, so it gets
/// none. A client that refuses both gets the file as it is, which §12.5.3 leaves to the server.
pub fn prefers_gzip(accepted: Option<&str>) -> bool {
    let Some(accepted) = accepted else { return false };
    let (mut gzip, mut identity, mut others) = (None, None, None);
    for member in accepted.split(',') {
        let (coding, parameters) = member.split_once(';').unwrap_or((member, ""));
        let place = match coding.trim().to_ascii_lowercase().as_str() {
            // §8.4.1.3: recipients treat them as one.
            "gzip" | "x-gzip" => &mut gzip,
            "identity" => &mut identity,
            "*" => &mut others,
            _ => continue,
        };
        *place = Some(weight(parameters));
    }
    let gzip = gzip.or(others).unwrap_or(0);
    // A file as it is is always acceptable, and preferred only where that is said.
    gzip > 0 && gzip >= identity.unwrap_or(0)
}

/// A weight in thousandths (§12.4.2): 1,000 where there is none, 0 where it cannot be read.
fn weight(parameters: &str) -> u16 {
    let mut weights = parameters.split(';').filter_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then_some(value.trim())
    });
    let Some(weight) = weights.next() else { return 1000 };
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    let is_valid = fraction.len() <= 3 && fraction.bytes().all(|digit| digit.is_ascii_digit());
    match whole {
        "1" if is_valid && fraction.bytes().all(|digit| digit == b'0') => 1000,
        "0" if is_valid => format!("{fraction:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn gzip_is_preferred_where_it_is_wanted_at_least_as_much() {
        for accepted in [
            "gzip",
            "GZIP",
            "x-gzip",
            "deflate, gzip;q=1.0, *;q=0.5",
            "gzip, deflate, br, zstd",
            "br;q=1.0, gzip;q=0.001",
            "*",
            "*;q=0.1",
            "identity;q=0.5, gzip;q=0.5",
            "identity;q=0, *",
            "gzip ; Q=0.8 , identity ; q=0.2",
            ", gzip",
            "gzip;q=",
        ] {
            let is_valid = accepted != "gzip;q=";
            assert_eq!(prefers_gzip(Some(accepted)), is_valid, "{accepted}");
        }
        for accepted in [
            "",
            "identity",
            "br",
            "gzip;q=0",
            "gzip;q=0.000",
            "gzip;q=0, *",
            "*;q=0",
            "identity, gzip;q=0.5",
            "gzip;q=2",
            "gzip;q=1.001",
            "gzip;q=0.0001",
            "gzip;q=-1",
            "gzipped",
        ] {
            assert!(!prefers_gzip(Some(accepted)), "{accepted}");
        }
        assert!(!prefers_gzip(None));
    }

    proptest! {
        #[test]
        fn any_header_is_read(header in "[gzip;q=01., *identy-]{0,40}", other in "\\PC{0,30}") {
            prefers_gzip(Some(&header));
            prefers_gzip(Some(&other));
        }

        #[test]
        fn the_larger_weight_wins(gzip in 0_u16..=1000, identity in 0_u16..=1000) {
            let weight = |of: u16| format!("{}.{:03}", of / 1000, of % 1000);
            let header = format!("identity;q={}, gzip;q={}", weight(identity), weight(gzip));
            prop_assert_eq!(prefers_gzip(Some(&header)), gzip > 0 && gzip >= identity);
        }
    }
}
