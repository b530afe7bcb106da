//! Users with passwords, in the format of Apache's `htpasswd -B`, which distribution reads too.

mod users;
mod verified;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::SystemTime,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::HeaderValue;
use sha2::{Digest as _, Sha256};
use tokio::{sync::Semaphore, task::spawn_blocking};

use super::{
    AccessController, Asked, Grant, Identity, Refusal, Rules, Wanted,
    basic::Basic,
    proof::{Offer, ProofError, Verifier},
};
use crate::{context::Context, distribution::BackendError};
pub use users::{Users, UsersError};
use verified::Verified;

/// Lets in the users that it knows, each to do what the rules allow them; without rules, everything.
///
/// Whoever says no name is nobody, and may do what the rules allow anonymous callers. But `/v2/` always asks for a name:
/// by that alone most clients find out that there are users, and then send theirs with every request.
///
/// A password's check costs what its hash says (cost 5, `htpasswd`'s own default, takes 2 ms; each more doubles it), so
/// it is done once for each process, and on as many threads at most as there are processors.
pub struct Htpasswd {
    source: Source,
    rules: Option<Arc<Rules>>,
    challenge: HeaderValue,
    verified: Verified,
    checks: Semaphore,
}

enum Source {
    Given(Arc<Users>),
    File(UsersFile),
}

/// A file of users, read again when it has changed.
struct UsersFile {
    path: PathBuf,
    read: Mutex<(Stamp, Arc<Users>)>,
}

/// What tells two contents of a file apart without reading it.
type Stamp = Option<(SystemTime, u64)>;

/// Users that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum HtpasswdError {
    /// The file is not there, or may not be read.
    #[error("{path}: cannot be read: {cause}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// What it says is wrong.
    #[error("{place}: {cause}")]
    Users {
        /// The file, or the name of the setting.
        place: String,
        /// What is wrong in it.
        cause: UsersError,
    },
}

impl Htpasswd {
    /// Lets in `users`. Clients are shown `realm`.
    pub fn new(realm: &str, users: Users) -> Self {
        Self::of(realm, Source::Given(Arc::new(users)))
    }

    /// Lets in whom the file at `path` names at that time: a change is seen by the next request. A file that is wrong
    /// then is said to be so in the log, and those it named before keep their access.
    ///
    /// # Errors
    /// [`HtpasswdError`], of the file as it is now.
    pub fn open(realm: &str, path: &Path) -> Result<Self, HtpasswdError> {
        let read = Mutex::new((stamp(path), Arc::new(read(path)?)));
        Ok(Self::of(realm, Source::File(UsersFile { path: path.to_owned(), read })))
    }

    /// With `rules` for what they may do.
    #[must_use]
    pub fn with_rules(self, rules: impl Into<Arc<Rules>>) -> Self {
        Self { rules: Some(rules.into()), ..self }
    }

    fn of(realm: &str, source: Source) -> Self {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        Self {
            source,
            rules: None,
            challenge: Basic::challenge(realm),
            verified: Verified::new(),
            checks: Semaphore::new(processors),
        }
    }

    async fn knows(&self, basic: Basic) -> bool {
        let users = self.source.users();
        let hash = users.hash(&basic.name);
        let seen = hash.map(|hash| self.verified.mark(&basic, hash));
        if seen.is_some_and(|mark| self.verified.contains(&mark)) {
            return true;
        }
        // Never closed; and whoever is unknown waits as long as whoever is known.
        let _turn = self.checks.acquire().await;
        let hash = hash.unwrap_or_else(|| users.decoy()).to_owned();
        let is_right = spawn_blocking(move || bcrypt::verify(basic.password, &hash).unwrap_or(false)).await;
        match seen {
            Some(mark) if is_right.unwrap_or(false) => {
                self.verified.insert(mark);
                true
            }
            _ => false,
        }
    }
}

#[async_trait::async_trait]
impl AccessController for Htpasswd {
    async fn authorize(&self, asked: &Asked<'_>, wanted: &Wanted) -> Result<Grant, Refusal> {
        let wanted = &wanted.needed;
        let refuse =
            |reason: &str| Err(Refusal::Unknown { challenge: self.challenge.clone(), reason: reason.to_owned() });
        let identity = match asked.authorization.map(Basic::parse) {
            None => Identity::Anonymous,
            Some(None) => return refuse("this registry takes a user name and a password (Basic), and nothing else"),
            Some(Some(basic)) => {
                let user = Identity::User(basic.name.clone());
                if !self.knows(basic).await {
                    return refuse(WRONG);
                }
                user
            }
        };
        let grant = match (&self.rules, &identity) {
            (Some(rules), _) => Grant::by_rules(identity, rules.clone()),
            (None, Identity::Anonymous) => return refuse(LOG_IN),
            (None, _) => Grant::everything(identity),
        };
        match wanted.iter().find(|access| !grant.allows(access)) {
            None if wanted.is_empty() && *grant.identity() == Identity::Anonymous => refuse(LOG_IN),
            None => Ok(grant),
            Some(_) if *grant.identity() == Identity::Anonymous => refuse(LOG_IN),
            Some(access) => Err(Refusal::Denied { identity: grant.identity().clone(), access: access.clone() }),
        }
    }
}

/// Takes every name and password, so it is asked after those that take some.
#[async_trait::async_trait]
impl Verifier for Htpasswd {
    async fn verify(&self, _: &Context, offer: &Offer<'_>) -> Result<Option<Identity>, ProofError> {
        let basic = Basic { name: offer.name.to_owned(), password: offer.password.to_owned() };
        let user = Identity::User(basic.name.clone());
        if self.knows(basic).await { Ok(Some(user)) } else { Err(ProofError::Wrong(WRONG.to_owned())) }
    }

    /// Another password is another proof, so that a changed one ends what the one before began.
    fn mark(&self, offer: &Offer<'_>) -> Option<String> {
        self.source.users().hash(offer.name).map(mark)
    }

    async fn holds(&self, _: &Context, identity: &Identity, remembered: &str) -> Result<bool, BackendError> {
        let Identity::User(name) = identity else { return Ok(false) };
        Ok(self.source.users().hash(name).is_some_and(|hash| mark(hash) == remembered))
    }
}

/// What stands for a hash, in what a client keeps: salted as it is, nothing can be tried against it.
fn mark(hash: &str) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(hash)[..16])
}

const WRONG: &str = "user name or password is wrong";

const LOG_IN: &str = "log in first: this is not for everybody";

impl Source {
    fn users(&self) -> Arc<Users> {
        match self {
            Self::Given(users) => users.clone(),
            Self::File(file) => file.users(),
        }
    }
}

impl UsersFile {
    fn users(&self) -> Arc<Users> {
        let now = stamp(&self.path);
        let mut read_last = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if now != read_last.0 {
            read_last.0 = now;
            match read(&self.path) {
                Ok(users) => read_last.1 = Arc::new(users),
                Err(error) => tracing::error!(%error, "users are those of before"),
            }
        }
        read_last.1.clone()
    }
}

fn stamp(path: &Path) -> Stamp {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

fn read(path: &Path) -> Result<Users, HtpasswdError> {
    let text = fs::read_to_string(path).map_err(|cause| HtpasswdError::Unreadable { path: path.to_owned(), cause })?;
    Users::parse_file(&text).map_err(|cause| HtpasswdError::Users { place: path.display().to_string(), cause })
}
