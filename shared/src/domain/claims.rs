//! What the claims of a token say about a person.
//!
//! Claims are text that people typed elsewhere, and other people see them. So they are bounded and cleaned here: a
//! claim that is too long, of a wrong type or not fit to be shown counts as absent (contract §1, *Authentication*).
//! Nothing is truncated, because half a name may be somebody else's.

use http::Uri;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The maximum length of a name and a user name, in characters.
pub const NAME_MAX: usize = 100;
/// The maximum length of an e-mail address, in characters.
/// Source: RFC 5321 §4.5.3.1.3, a path of 256 octets in angle brackets.
pub const EMAIL_MAX: usize = 254;
/// The maximum length of a picture's address, in characters.
pub const AVATAR_URL_MAX: usize = 2_048;
/// The maximum length of a business unit, in characters.
pub const BUSINESS_UNIT_MAX: usize = 64;
/// The maximum length of a role or a permission, in characters.
pub const RIGHT_MAX: usize = 100;

/// What the claims of a token say about a person; stored as their profile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Map<String, Value>")]
pub struct Claims {
    /// The name to show, at most [`NAME_MAX`] characters.
    pub name: Option<String>,
    /// The short name, at most [`NAME_MAX`] characters.
    pub username: Option<String>,
    /// The e-mail address, at most [`EMAIL_MAX`] characters; shown to nobody but its owner and in the audit log.
    pub email: Option<String>,
    /// The address of the picture, `http` or `https`, at most [`AVATAR_URL_MAX`] characters.
    pub avatar_url: Option<String>,
    /// Roles, as the issuer names them; unknown roles grant nothing.
    pub roles: Vec<String>,
    /// Permissions in addition to those of the roles; unknown ones grant nothing.
    pub permissions: Vec<String>,
    /// The business unit, at most [`BUSINESS_UNIT_MAX`] characters.
    pub business_unit: Option<String>,
}

impl Claims {
    /// The acceptable part of a token's claims.
    pub fn from_json(mut claims: Map<String, Value>) -> Self {
        let mut text = |name: &str, most: usize| match claims.remove(name) {
            Some(Value::String(text)) => shown(text, most),
            _ => None,
        };
        let (name, username) = (text("name", NAME_MAX), text("username", NAME_MAX));
        let (email, business_unit) = (text("email", EMAIL_MAX), text("business_unit", BUSINESS_UNIT_MAX));
        let avatar_url = text("avatar_url", AVATAR_URL_MAX).filter(|url| is_web_address(url));
        let mut rights = |name: &str| match claims.remove(name) {
            Some(Value::Array(rights)) => rights.into_iter().filter_map(right).collect(),
            _ => Vec::new(),
        };
        Self {
            roles: rights("roles"),
            permissions: rights("permissions"),
            name,
            username,
            email,
            avatar_url,
            business_unit,
        }
    }
}

impl From<Map<String, Value>> for Claims {
    fn from(claims: Map<String, Value>) -> Self {
        Self::from_json(claims)
    }
}

fn right(right: Value) -> Option<String> {
    match right {
        Value::String(right) if right.is_empty() => Some(right),
        Value::String(right) => shown(right, RIGHT_MAX),
        _ => None,
    }
}

/// A text that fits into a line with others: neither too long nor blank, and without characters that would change how
/// the line is displayed.
fn shown(text: String, most: usize) -> Option<String> {
    let is_fit = text.chars().count() <= most
        && !text.chars().any(breaks_a_line)
        && !text
            .chars()
            .all(|character| character.is_whitespace() || is_invisible(character));
    is_fit.then_some(text)
}

/// Control characters, line and paragraph separators, and bidirectional controls: if left open, these reverse the text
/// after the name (UAX #9 §2).
fn breaks_a_line(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

/// Characters without a width of their own: soft hyphen, zero-width spaces and joiners, direction marks.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

/// Whether a text is an address from which a browser may load a picture: `http` or `https` with a host, in the
/// characters of RFC 3986 §2, so that it is safe in an HTML attribute.
fn is_web_address(text: &str) -> bool {
    let is_of_uri = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
    let Ok(uri) = text.parse::<Uri>() else {
        return false;
    };
    let is_web = uri
        .scheme_str()
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https"));
    is_web && text.bytes().all(is_of_uri) && uri.host().is_some_and(|host| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(claims: &Value) -> Claims {
        serde_json::from_value(claims.clone()).unwrap()
    }

    fn anything() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(json!([])),
            Just(json!({ "a": 1 })),
            Just(json!(["admin", 7, null])),
            any::<i64>().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            ".{0,150}".prop_map(Value::from),
            "https://[a-z]{1,20}/.{0,20}".prop_map(Value::from),
            proptest::collection::vec(any::<String>(), 0..4).prop_map(Value::from),
        ]
    }

    proptest! {
        #[test]
        fn whatever_the_claims_are_what_is_taken_is_bounded_and_can_be_shown(
            values in proptest::collection::vec(anything(), 7),
        ) {
            let names = ["name", "username", "email", "avatar_url", "roles", "permissions", "business_unit"];
            let claims = names.iter().map(|name| (*name).to_owned()).zip(values).collect();
            let taken = Claims::from_json(claims);
            let texts = [
                (&taken.name, NAME_MAX), (&taken.username, NAME_MAX), (&taken.email, EMAIL_MAX),
                (&taken.avatar_url, AVATAR_URL_MAX), (&taken.business_unit, BUSINESS_UNIT_MAX),
            ];
            for (text, most) in texts {
                if let Some(text) = text {
                    prop_assert!((1..=most).contains(&text.chars().count()));
                    prop_assert!(!text.contains(char::is_control));
                }
            }
            if let Some(url) = &taken.avatar_url {
                prop_assert!(url.starts_with("http"), "{url}");
            }
            // Stored claims pass the same rules unchanged.
            prop_assert_eq!(read(&serde_json::to_value(&taken).unwrap()), taken);
        }
    }

    #[test]
    fn a_claim_of_another_type_is_absent_and_the_rest_is_taken() {
        let claims = json!({
            "name": "Ada", "username": 7, "email": [], "avatar_url": { "url": "https://example.com" },
            "roles": "admin", "permissions": ["audit.view", 7, null, ["credits.grant"]], "business_unit": true
        });
        let expected = Claims {
            name: Some("Ada".to_owned()),
            permissions: vec!["audit.view".to_owned()],
            ..Claims::default()
        };
        assert_eq!(read(&claims), expected);
        assert_eq!(read(&json!({})), Claims::default());
    }

    #[test]
    fn names_are_taken_as_they_are_or_not_at_all() {
        let name = |name: &str| read(&json!({ "name": name })).name;
        for good in [
            "Ada",
            "  Ada  ",
            "Åda Løvelace",
            "艾达",
            "عدا",
            "A\u{200d}B",
            &"é".repeat(100),
        ] {
            assert_eq!(name(good).as_deref(), Some(good));
        }
        for odd in [
            "",
            "   ",
            "\u{200b}\u{feff}",
            "a\r\nb",
            "a\u{0}",
            "a\u{85}b",
            "a\u{202e}b",
            "a\u{2028}b",
            &"é".repeat(101),
        ] {
            assert_eq!(name(odd), None, "{odd:?}");
        }
    }

    #[test]
    fn a_picture_is_loaded_over_http_alone() {
        let url = |url: &str| read(&json!({ "avatar_url": url })).avatar_url;
        let longest = format!("https://example.com/{}", "a".repeat(AVATAR_URL_MAX - 20));
        for good in [
            "https://example.com/ada.png?s=1&d=%20#x",
            "HTTP://example.com",
            "https://[::1]:8080/a",
            &longest,
        ] {
            assert_eq!(url(good).as_deref(), Some(good));
        }
        for odd in [
            "",
            "javascript:alert(1)",
            "data:image/png;base64,AAAA",
            "//example.com/ada.png",
            "/ada.png",
            "ada.png",
            "https://",
            "https:ada.png",
            "ftp://example.com/ada.png",
            "https://example.com/a b",
            "https://example.com/\"onload=alert(1)",
            "https://example.com/<svg>",
            " https://example.com/ada.png",
            "https://example.com/\n",
            &format!("{longest}a"),
        ] {
            assert_eq!(url(odd), None, "{odd}");
        }
    }
}
