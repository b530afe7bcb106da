//! What a registry asks for: `WWW-Authenticate` (RFC 9110, section 11.6.1).

use http::{HeaderMap, header::WWW_AUTHENTICATE};

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
    /// The challenge of an answer: of several the one for tokens. `None` when there is none that is understood.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
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

    proptest! {
        #[test]
        fn quoted_is_read_as_it_was_meant(realm in "[ -~]{0,30}", junk in "[ -~]{0,30}") {
            let quoted = realm.replace('\\', "\\\\").replace('"', "\\\"");
            prop_assert_eq!(read(&[&format!("Bearer realm=\"{quoted}\"")]), bearer(&realm, None));
            read(&[&junk]);
        }
    }
}
