//! `auth`.

use std::{path::PathBuf, time::Duration};

use super::{
    duration,
    error::{ConfigError, quoted},
    secret::Secret,
    settings::Settings,
};

/// Who is let in, and what they may do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Auth {
    /// How they prove who they are.
    pub controller: Controller,
    /// What they may do, a rule a line; without rules, everything.
    pub rules: Option<String>,
}

/// How those who ask prove who they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Controller {
    /// Not at all: everybody is let in.
    #[default]
    None,
    /// By a password with every request.
    Htpasswd {
        /// What clients are shown of the registry when they are asked to log in.
        realm: String,
        /// Who they are.
        users: HtpasswdUsers,
    },
    /// By a token of Berth's own, which is had for a proof.
    Berth(Berth),
}

/// Berth's own tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Berth {
    /// How long a token is good for.
    pub life: Duration,
    /// Whether AWS credentials are a proof.
    pub aws: bool,
    /// Whose tokens are proofs.
    pub oidc: Vec<Issuer>,
    /// Whether API keys are proofs.
    pub keys: bool,
    /// Whose passwords are proofs.
    pub users: Option<HtpasswdUsers>,
}

/// An issuer of OpenID Connect tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// Its URL, exactly as its tokens have it.
    pub url: String,
    /// For whom its tokens must be.
    pub audience: String,
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

/// How long a token is good for where nothing says so; no less and no more than these.
const LIFE: Duration = Duration::from_secs(300);
const SHORTEST_LIFE: Duration = Duration::from_secs(60);
const LONGEST_LIFE: Duration = Duration::from_secs(3600);

impl Auth {
    pub(super) fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let users = read_users(settings)?;
        let realm = || settings.get("auth.htpasswd.realm").map_or(REALM, |found| found.text).to_owned();
        let controller = match (settings.origin("auth.berth"), users) {
            (Some(_), users) => Controller::Berth(Berth::read(settings, users)?),
            (None, Some(users)) => Controller::Htpasswd { realm: realm(), users },
            (None, None) => Controller::None,
        };
        // Rules that came out empty allow nothing.
        let rules = settings.get("auth.rules").map(|rules| rules.text.to_owned());
        let rules = settings.origin("auth.rules").map(|origin| (origin, rules.unwrap_or_default()));
        match (&controller, rules) {
            (Controller::None, Some((origin, _))) => {
                let reason = "says what who may do, but nobody is asked who they are; set auth.berth or auth.htpasswd";
                Err(ConfigError::new(origin, "auth.rules", reason))
            }
            (Controller::Berth(_), None) => {
                let origin = settings.origin("auth.berth").unwrap_or_default();
                let reason = "wants auth.rules, without which anybody with AWS credentials could do anything; set them: \
                              allow WHO to ACTIONS on REPOSITORIES";
                Err(ConfigError::new(origin, "auth.berth", reason))
            }
            (_, rules) => Ok(Self { controller, rules: rules.map(|(_, rules)| rules) }),
        }
    }
}

fn read_users(settings: &Settings) -> Result<Option<HtpasswdUsers>, ConfigError> {
    const SECTION: &str = "auth.htpasswd";
    let Some(origin) = settings.origin(SECTION) else { return Ok(None) };
    match (settings.get("auth.htpasswd.path"), settings.get("auth.htpasswd.users")) {
        (Some(path), None) => Ok(Some(HtpasswdUsers::File(path.text.into()))),
        (None, Some(users)) => Ok(Some(HtpasswdUsers::Given(Secret::new(users.text)))),
        (Some(_), Some(users)) => {
            let reason = "auth.htpasswd.path is set as well; allowed: one of the two";
            Err(ConfigError::new(users.origin, users.path, reason))
        }
        // Beside other proofs there need be no users.
        (None, None) if settings.origin("auth.berth").is_some() => Ok(None),
        // Never open because of a variable that came out empty.
        (None, None) => {
            let reason = "names no users; set auth.htpasswd.users (NAME:HASH, as htpasswd -nB NAME prints it) or \
                          auth.htpasswd.path (a file of such lines)";
            Err(ConfigError::new(origin, SECTION, reason))
        }
    }
}

impl Berth {
    fn read(settings: &Settings, users: Option<HtpasswdUsers>) -> Result<Self, ConfigError> {
        let life = match settings.get("auth.berth.life") {
            None => LIFE,
            Some(found) => duration::read(found.text)
                .filter(|life| (SHORTEST_LIFE..=LONGEST_LIFE).contains(life))
                .ok_or_else(|| found.refuse())?,
        };
        Ok(Self {
            life,
            aws: settings.switch("auth.berth.aws", true)?,
            oidc: read_issuers(settings)?,
            keys: settings.switch("auth.berth.keys", true)?,
            users,
        })
    }
}

/// `ISSUER AUDIENCE`, several on lines of their own or with `;` between.
fn read_issuers(settings: &Settings) -> Result<Vec<Issuer>, ConfigError> {
    let Some(found) = settings.get("auth.berth.oidc") else { return Ok(Vec::new()) };
    let entries = found.text.split(['\n', ';']).map(str::trim).filter(|entry| !entry.is_empty());
    let read = |entry: &str| {
        let words: Vec<&str> = entry.split_whitespace().collect();
        let is_local = |url: &str| url.starts_with("http://127.0.0.1:") || url.starts_with("http://localhost:");
        match words.as_slice() {
            [url, audience] if url.starts_with("https://") || is_local(url) => {
                Ok(Issuer { url: (*url).to_owned(), audience: (*audience).to_owned() })
            }
            _ => Err(found.because(&format!("{} is not allowed", quoted(entry)))),
        }
    };
    entries.map(read).collect()
}
