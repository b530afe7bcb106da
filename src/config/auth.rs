//! `auth`.

use std::path::PathBuf;

use super::{error::ConfigError, secret::Secret, settings::Settings};

/// Who is let in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Auth {
    /// Everybody.
    #[default]
    None,
    /// Users with a password.
    Htpasswd {
        /// What clients are shown of the registry when they are asked to log in.
        realm: String,
        /// Who they are.
        users: HtpasswdUsers,
        /// What they may do, a rule a line; without rules, everything.
        rules: Option<String>,
    },
}

/// Where the lines are that say who the users are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HtpasswdUsers {
    /// In a file, read again when it changes.
    File(PathBuf),
    /// Here, with commas or white space between them.
    Given(Secret),
}

/// The realm where none is given.
const REALM: &str = "Berth";

impl Auth {
    pub(super) fn read(settings: &Settings) -> Result<Self, ConfigError> {
        const SECTION: &str = "auth.htpasswd";
        let rules = settings.get("auth.rules");
        let Some(origin) = settings.origin(SECTION) else {
            return match settings.origin("auth.rules") {
                None => Ok(Self::None),
                Some(origin) => {
                    let reason = "says what users may do, but there are none; set auth.htpasswd as well";
                    Err(ConfigError::new(origin, "auth.rules", reason))
                }
            };
        };
        let realm = settings.get("auth.htpasswd.realm").map_or(REALM, |found| found.text);
        let users = match (settings.get("auth.htpasswd.path"), settings.get("auth.htpasswd.users")) {
            (Some(path), None) => HtpasswdUsers::File(path.text.into()),
            (None, Some(users)) => HtpasswdUsers::Given(Secret::new(users.text)),
            (Some(_), Some(users)) => {
                return Err(ConfigError::new(
                    users.origin,
                    users.path,
                    "auth.htpasswd.path is set as well; allowed: one of the two",
                ));
            }
            // Never open because of a variable that came out empty.
            (None, None) => {
                let reason = "names no users; set auth.htpasswd.users (NAME:HASH, as htpasswd -nB NAME prints it) or \
                              auth.htpasswd.path (a file of such lines)";
                return Err(ConfigError::new(origin, SECTION, reason));
            }
        };
        // Rules that came out empty allow nothing.
        let is_set = settings.origin("auth.rules").is_some();
        let rules = is_set.then(|| rules.map_or_else(String::new, |rules| rules.text.to_owned()));
        Ok(Self::Htpasswd { realm: realm.to_owned(), users, rules })
    }
}
