//! Patterns of names.

use crate::{auth::Identity, name::RepositoryName};

/// A pattern: pieces, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// This text.
    Text(String),
    /// Any text without a slash (`*`).
    Name,
    /// Any text (`**`).
    Any,
    /// What is known of who asks (`${claim}`).
    Claim(String),
}

impl Pattern {
    /// Reads a pattern; the error is the claim that is not closed, or that `is_known` does not know.
    pub(super) fn parse(text: &str, is_known: impl Fn(&str) -> bool) -> Result<Self, String> {
        let (mut pieces, mut rest) = (Vec::new(), text);
        while !rest.is_empty() {
            if let Some(behind) = rest.strip_prefix("**") {
                pieces.push(Piece::Any);
                rest = behind;
            } else if let Some(behind) = rest.strip_prefix('*') {
                pieces.push(Piece::Name);
                rest = behind;
            } else if let Some(behind) = rest.strip_prefix("${") {
                let (claim, behind) = behind.split_once('}').ok_or_else(|| rest.to_owned())?;
                if !is_known(claim) {
                    return Err(format!("${{{claim}}}"));
                }
                pieces.push(Piece::Claim(claim.to_owned()));
                rest = behind;
            } else {
                let special = rest.char_indices().skip(1).find(|(_, character)| matches!(character, '*' | '$'));
                let end = special.map_or(rest.len(), |(end, _)| end);
                pieces.push(Piece::Text(rest[..end].to_owned()));
                rest = &rest[end..];
            }
        }
        Ok(Self(pieces))
    }

    /// Whether `text` fits, when `identity` asks.
    pub(super) fn matches(&self, text: &str, identity: &Identity) -> bool {
        matches(&self.0, text, identity)
    }

    /// Whether every text fits.
    pub(super) fn is_everything(&self) -> bool {
        self.0.contains(&Piece::Any) && self.0.iter().all(|piece| matches!(piece, Piece::Any))
    }
}

/// Texts are at most 255 bytes long and patterns are the operator's own, so that trying every length is no danger.
fn matches(pieces: &[Piece], text: &str, identity: &Identity) -> bool {
    let Some((piece, others)) = pieces.split_first() else { return text.is_empty() };
    let fixed = |start: &str| text.strip_prefix(start).is_some_and(|rest| matches(others, rest, identity));
    match piece {
        Piece::Text(start) => fixed(start),
        // Without its claim a rule says nothing.
        Piece::Claim(claim) => identity.claim(claim).is_some_and(|claim| is_name(claim, identity) && fixed(claim)),
        Piece::Name | Piece::Any => {
            let most = match piece {
                Piece::Name => text.find('/').unwrap_or(text.len()),
                _ => text.len(),
            };
            let ends = text.char_indices().map(|(end, _)| end).chain([text.len()]);
            ends.take_while(|end| *end <= most).any(|end| matches(others, &text[end..], identity))
        }
    }
}

/// Whether a claim may stand in a repository's name: whole parts of one. Several are what only an issuer may say (`owner/name`
/// of a repository of code): the name of a user with a slash in it would reach into the place of another.
fn is_name(claim: &str, identity: &Identity) -> bool {
    let is_one = !claim.contains('/') || matches!(identity, Identity::Oidc(_));
    is_one && claim.parse::<RepositoryName>().is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fits(pattern: &str, text: &str, user: &str) -> bool {
        Pattern::parse(pattern, |claim| claim == "user").unwrap().matches(text, &Identity::User(user.to_owned()))
    }

    #[test]
    fn stars_and_claims() {
        for (pattern, text, expected) in [
            ("app", "app", true),
            ("app", "apps", false),
            ("app", "my/app", false),
            ("*", "app", true),
            ("*", "team/app", false),
            ("**", "team/app", true),
            ("team/*", "team/app", true),
            ("team/*", "team/app/sub", false),
            ("team/*", "team/", true),
            ("team/**", "team/app/sub", true),
            ("team/**", "team", false),
            ("team-*/app", "team-a/app", true),
            ("team-*/app", "team-a/b/app", false),
            ("**/app", "a/b/app", true),
            ("home/${user}/**", "home/alice/x", true),
            ("home/${user}/**", "home/bob/x", false),
            ("home/${user}/**", "home/alicex/x", false),
            ("${user}", "alice", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(fits(pattern, text, "alice"), expected, "{pattern} {text}");
        }
        assert!(!fits("home/${user}/**", "home/alice/x/y", "alice/x"));
        // What could not be part of a repository's name is no name; one with a star is no pattern.
        assert!(!fits("home/${user}/**", "home/../x", ".."));
        assert!(!fits("home/${user}/**", "home/Alice/x", "Alice"));
        assert!(!fits("home/${user}", "home/alice", "*"));
        assert!(!fits("home/${user}", "home/", ""));
        assert!(!Pattern::parse("${user}", |_| true).unwrap().matches("alice", &Identity::Anonymous));
    }

    proptest! {
        #[test]
        fn a_text_fits_itself_and_everything(text in "[a-z/.-]{0,40}") {
            prop_assert!(fits(&text, &text, "alice"));
            prop_assert!(fits("**", &text, "alice"));
            prop_assert_eq!(fits("*", &text, "alice"), !text.contains('/'));
        }

        #[test]
        fn what_it_is_read_from_never_breaks_it(text in "\\PC{0,40}", other in "\\PC{0,40}") {
            if let Ok(pattern) = Pattern::parse(&text, |_| true) {
                pattern.matches(&other, &Identity::Anonymous);
            }
        }
    }
}
