//! The secrets that the registry shares with an edge before it, each set under the name of its version.
//!
//! | file | content |
//! |---|---|
//! | `secrets.json` | which versions are in use, the newest first; nothing secret |
//! | `secrets-VERSION.json` | the secrets of a version: written once, so that all who make it have the same |
//! | `keys-VERSION.json` | what CloudFront reads into a key value store ("Import file format") |

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::json;

use super::path_spec::PathSpec;
use crate::{
    aws::cloudfront::UrlKey,
    context::Context,
    distribution::{BackendError, BackendErrorKind},
    driver::{DriverErrorKind, Path, PutOptions, StorageDriver},
};

/// The longest file that is read, in bytes.
const LONGEST: u64 = 4096;

/// The newest and the one before it, whose signatures are still under way when another follows.
const VERSIONS: usize = 2;

/// The secrets of an edge, in storage.
pub struct EdgeSecrets {
    driver: Arc<dyn StorageDriver>,
}

/// What a version comes to.
#[derive(PartialEq, Eq)]
pub struct Issued {
    /// What CloudFront shows to the registry: that of the version, then the one before it.
    pub origin: Vec<String>,
    /// The keys that sign tickets of uploads, likewise.
    pub upload: Vec<String>,
    /// The key that signs URLs, if it was asked for: PKCS#8 in base64.
    pub downloads: Option<String>,
    /// Where what CloudFront imports is.
    pub keys: Path,
}

/// What is in use.
#[derive(Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    /// The newest first.
    versions: Vec<String>,
    downloads: Option<Downloads>,
}

/// Whose key signs URLs. CloudFront changes no key that it knows, so one stays through all versions, until downloads were
/// turned off and are turned on again by another version.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Downloads {
    /// The version that it was made with.
    key: String,
    /// The last version that had them on.
    used: String,
    on: bool,
}

/// The secrets of one version.
#[derive(Serialize, Deserialize)]
struct Set {
    origin: String,
    upload: String,
    downloads: String,
}

impl EdgeSecrets {
    /// Those that lie in `driver`.
    pub fn new(driver: Arc<dyn StorageDriver>) -> Self {
        Self { driver }
    }

    /// Makes `version` the newest, if it is not, and the key of `downloads`, if it is wanted. Safe to repeat, and by two at
    /// once: the same version has the same secrets. One that was before the newest may be made the newest again.
    ///
    /// # Errors
    /// [`BackendError`], also for a version that is no name.
    pub async fn issue(&self, ctx: &Context, version: &str, downloads: bool) -> Result<Issued, BackendError> {
        if !is_name(version) {
            return Err(failed("Version: allowed are 1 to 64 letters, digits, dots, _ and -"));
        }
        let before: State = self.read(ctx, "secrets.json").await?.unwrap_or_default();
        let mut state = before.clone();
        state.versions.retain(|other| other != version);
        state.versions.insert(0, version.to_owned());
        state.versions.truncate(VERSIONS);
        state.turn(version, downloads);

        let mut sets = Vec::new();
        for version in &state.versions {
            sets.push(self.set(ctx, version).await?);
        }
        let (origin, upload): (Vec<_>, Vec<_>) = sets.into_iter().map(|set| (set.origin, set.upload)).unzip();
        let signs = match &state.downloads {
            Some(signs) if signs.on => Some(self.set(ctx, &signs.key).await?.downloads),
            _ => None,
        };
        let keys = file(&format!("keys-{version}.json"))?;
        let entry = json!({ "data": [{ "key": "upload-keys", "value": upload.join(",") }] });
        self.write(ctx, &keys, &entry, false).await?;
        if state != before {
            self.write(ctx, &file("secrets.json")?, &state, false).await?;
        }
        self.forget(ctx, &before, &state).await?;
        Ok(Issued { origin, upload, downloads: signs, keys })
    }

    /// Removes everything.
    ///
    /// # Errors
    /// [`BackendError`]; that nothing is there is none.
    pub async fn remove(&self, ctx: &Context) -> Result<(), BackendError> {
        match self.driver.delete_tree(ctx, &super::path(PathSpec::Edge(None))?).await {
            Err(error) if !error.is_not_found() => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// The secrets of `version`; made, if there are none.
    async fn set(&self, ctx: &Context, version: &str) -> Result<Set, BackendError> {
        let name = format!("secrets-{version}.json");
        if let Some(set) = self.read(ctx, &name).await? {
            return Ok(set);
        }
        let set = Set::generate().ok_or_else(|| failed("the system has no randomness"))?;
        if self.write(ctx, &file(&name)?, &set, true).await? {
            return Ok(set);
        }
        // Another was faster: its secrets are the version's.
        self.read(ctx, &name).await?.ok_or_else(|| failed("the secrets are gone while they are made"))
    }

    /// Removes what was in use `before`, and is not `now`.
    async fn forget(&self, ctx: &Context, before: &State, now: &State) -> Result<(), BackendError> {
        let mut gone = Vec::new();
        let signed_by = before.downloads.iter().map(|signs| &signs.key);
        for version in before.versions.iter().chain(signed_by).filter(|version| !now.versions.contains(version)) {
            gone.push(file(&format!("keys-{version}.json"))?);
            if now.downloads.as_ref().is_none_or(|signs| signs.key != *version) {
                gone.push(file(&format!("secrets-{version}.json"))?);
            }
        }
        if !gone.is_empty() {
            self.driver.delete(ctx, &gone).await?;
        }
        Ok(())
    }

    async fn read<T: DeserializeOwned>(&self, ctx: &Context, name: &str) -> Result<Option<T>, BackendError> {
        let path = file(name)?;
        match self.driver.get(ctx, &path, LONGEST).await {
            // What is wrong with it is not said: a parser's error may hold what it read.
            Ok(content) => match serde_json::from_slice(&content) {
                Ok(content) => Ok(Some(content)),
                Err(_) => {
                    Err(failed(&format!("{path} is not as this registry writes it; without it, secrets are made anew")))
                }
            },
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes `content`; `false` when something is there already and it was to `create` it.
    async fn write(
        &self,
        ctx: &Context,
        path: &Path,
        content: &impl Serialize,
        create: bool,
    ) -> Result<bool, BackendError> {
        let content = serde_json::to_vec(content).map_err(|_| failed("secrets cannot be written"))?;
        let options = PutOptions { create_only: create, checksum: None };
        match self.driver.put(ctx, path, bytes::Bytes::from(content).into(), options).await {
            Ok(_) => Ok(true),
            Err(error) if create && error.kind == DriverErrorKind::Precondition => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

impl State {
    /// Turns downloads on or off, as `version` has it.
    fn turn(&mut self, version: &str, on: bool) {
        match &mut self.downloads {
            Some(signs) if !on => signs.on = false,
            // On again by the version that had them on before: a deployment is taken back.
            Some(signs) if signs.on || signs.used == version => {
                signs.on = true;
                version.clone_into(&mut signs.used);
            }
            _ if on => self.downloads = Some(Downloads { key: version.to_owned(), used: version.to_owned(), on }),
            _ => {}
        }
    }
}

impl Set {
    fn generate() -> Option<Self> {
        Some(Self { origin: secret()?, upload: secret()?, downloads: UrlKey::generate().ok()? })
    }
}

/// 256 bits, as text that headers and queries take.
fn secret() -> Option<String> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

fn is_name(version: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=64).contains(&version.len()) && version.bytes().all(is_plain)
}

fn file(name: &str) -> Result<Path, BackendError> {
    Ok(super::path(PathSpec::Edge(Some(name)))?)
}

fn failed(message: &str) -> BackendError {
    BackendError::new(BackendErrorKind::Failed, message)
}
