//! What a registry asks for: `WWW-Authenticate` (RFC 9110, section 11.6.1), under whatever name a front end leaves it.

use http::{HeaderMap, HeaderName, header::WWW_AUTHENTICATE};
use reqwest::Url;

use super::spoken::spoken;
use crate::api::{BERTH_CHALLENGE, REMAPPED_CHALLENGE};

/// The headers that hold a challenge, in the order in which they are read.
const NAMES: [HeaderName; 3] =
    [WWW_AUTHENTICATE, HeaderName::from_static(BERTH_CHALLENGE), HeaderName::from_static(REMAPPED_CHALLENGE)];

/// How to log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// With every request (RFC 7617).
    Basic,
    /// At a token service ("Token Authentication Specification", distribution).
    Bearer {
        /// The service's URL.
        realm: String,
        /// What the registry is called there.
        service: Option<String>,
        /// What the request needs, as far as the registry says (RFC 6750, section 3).
        scope: Option<String>,
    },
}

impl Challenge {
    /// The challenge of a 401: that of `WWW-Authenticate`, else of the headers that stand in for it. `None` when there is
    /// none that is understood.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        Self::named(headers).map(|(_, challenge)| challenge)
    }

    /// [`Self::of`], with the name of the header that holds it.
    pub(super) fn named(headers: &HeaderMap) -> Option<(HeaderName, Self)> {
        NAMES.into_iter().find_map(|name| Self::read(headers, &name).map(|challenge| (name, challenge)))
    }

    /// The challenge of the header `name`: of several the one for tokens.
    fn read(headers: &HeaderMap, name: &HeaderName) -> Option<Self> {
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        let mut found = None;
        for (scheme, parameters) in values.flat_map(challenges) {
            let parameter = |name: &str| {
                let named = parameters.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
                named.map(|(_, value)| value.clone())
            };
            match parameter("realm") {
                Some(realm) if scheme.eq_ignore_ascii_case("bearer") => {
                    return Some(Self::Bearer { realm, service: parameter("service"), scope: parameter("scope") });
                }
                _ if scheme.eq_ignore_ascii_case("basic") => found = Some(Self::Basic),
                _ => {}
            }
        }
        found
    }
}

/// The URL of `realm`, a token service that the registry at `base` names.
///
/// # Errors
/// Credentials must not go there: it has no TLS and is not on the registry's own host without TLS, or holds a password.
pub(super) fn realm_url(base: &Url, realm: &str) -> Result<Url, String> {
    let url =
        base.join(realm).map_err(|fault| format!("its challenge sends logins to {:?}: {fault}", spoken(realm)))?;
    let is_safe = match url.scheme() {
        "https" => true,
        "http" => base.scheme() == "http" && url.host() == base.host(),
        _ => false,
    };
    if !is_safe || !url.username().is_empty() || url.password().is_some() {
        return Err(format!(
            "its challenge sends logins to {}, which is neither its own host nor has TLS; nothing was sent",
            spoken(realm)
        ));
    }
    Ok(url)
}

/// The schemes in one value, each with its parameters.
fn challenges(value: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut found: Vec<(String, Vec<(String, String)>)> = Vec::new();
    let mut rest = value;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let end = rest.find([' ', '\t', ',', '=']).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        if word.is_empty() {
            return found;
        }
        match behind.strip_prefix('=') {
            Some(behind) => {
                let (text, behind) = text(behind);
                if let Some((_, parameters)) = found.last_mut() {
                    parameters.push((word.to_owned(), text));
                }
                rest = behind;
            }
            None => {
                found.push((word.to_owned(), Vec::new()));
                rest = behind;
            }
        }
    }
}

/// A value, quoted or not, and what follows it.
fn text(rest: &str) -> (String, &str) {
    let Some(quoted) = rest.strip_prefix('"') else {
        let (value, behind) = rest.split_at(rest.find([',', ' ', '\t']).unwrap_or(rest.len()));
        return (value.to_owned(), behind);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            _ => value.push(character),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn read(values: &[&str]) -> Option<Challenge> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_str(value).unwrap());
        }
        Challenge::of(&headers)
    }

    fn bearer(realm: &str, service: Option<&str>) -> Option<Challenge> {
        Some(Challenge::Bearer { realm: realm.to_owned(), service: service.map(str::to_owned), scope: None })
    }

    #[test]
    fn schemes_and_parameters() {
        let token = r#"Bearer realm="https://r.example/token",service="r.example",scope="repository:a:pull,push""#;
        let Some(Challenge::Bearer { realm, service, scope }) = read(&[token]) else { panic!("a challenge") };
        assert_eq!(realm, "https://r.example/token");
        assert_eq!(service.as_deref(), Some("r.example"));
        assert_eq!(scope.as_deref(), Some("repository:a:pull,push"));
        assert_eq!(read(&["Basic realm=\"a, b\\\" Bearer realm=\\\"x\"", token]), read(&[token]));
        assert_eq!(read(&[&format!("Basic realm=\"x\", {token}")]), read(&[token]));
        assert_eq!(read(&["bearer REALM=a , service=b"]), bearer("a", Some("b")));
        assert_eq!(read(&["Basic realm=\"x\", charset=\"UTF-8\""]), Some(Challenge::Basic));
        for nothing in [&[][..], &["Negotiate"], &["Bearer service=\"x\""], &["realm=\"x\""], &["Bearer realm"]] {
            assert_eq!(read(nothing), None, "{nothing:?}");
        }
    }

    /// `header: value` pairs, and the header whose challenge counts.
    #[test]
    fn names_in_their_order() {
        let (renamed, own) = (REMAPPED_CHALLENGE, BERTH_CHALLENGE);
        let good = |realm: &str| format!("Bearer realm=\"https://{realm}.example/token\"");
        let standard = "www-authenticate";
        for (headers, expected) in [
            (vec![(standard, good("a"))], Some((standard, "a"))),
            (vec![(own, good("b"))], Some((own, "b"))),
            (vec![(renamed, good("c"))], Some((renamed, "c"))),
            (vec![(renamed, good("c")), (own, good("b")), (standard, good("a"))], Some((standard, "a"))),
            (vec![(renamed, good("c")), (own, good("b"))], Some((own, "b"))),
            // Of a proxy on the way, or cut short.
            (vec![(standard, "Negotiate".to_owned()), (own, good("b"))], Some((own, "b"))),
            (vec![(own, "Bearer realm".to_owned()), (renamed, good("c"))], Some((renamed, "c"))),
            (vec![(own, "Bearer".to_owned()), (renamed, "=".to_owned())], None),
            (vec![("x-berth-status", good("d"))], None),
        ] {
            let headers = headers
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()));
            let found = Challenge::named(&headers.collect());
            let expected = expected.map(|(name, realm)| {
                let realm = format!("https://{realm}.example/token");
                (HeaderName::from_static(name), Challenge::Bearer { realm, service: None, scope: None })
            });
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn where_logins_may_be_sent() {
        let (safe, plain) = ("https://r.example", "http://r.example:5000");
        for (base, realm, may) in [
            (safe, "https://r.example/token", true),
            (safe, "https://auth.example/token", true),
            (safe, "/token", true),
            (safe, "http://r.example/token", false),
            (safe, "http://auth.example/token", false),
            (safe, "https://alice:x@auth.example/token", false),
            (plain, "https://auth.example/token", true),
            (plain, "http://r.example:5001/token", true),
            (plain, "http://auth.example/token", false),
            (plain, "http://r.example.com/token", false),
            (plain, "file:///etc/passwd", false),
            (plain, "http://", false),
        ] {
            assert_eq!(realm_url(&base.parse().unwrap(), realm).is_ok(), may, "{base} {realm}");
        }
    }

    proptest! {
        #[test]
        fn quoted_is_read_as_it_was_meant(realm in "[ -~]{0,30}", junk in "[ -~]{0,30}") {
            let quoted = realm.replace('\\', "\\\\").replace('"', "\\\"");
            prop_assert_eq!(read(&[&format!("Bearer realm=\"{quoted}\"")]), bearer(&realm, None));
            read(&[&junk]);
        }
    }
}
