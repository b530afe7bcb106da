//! The secrets that the registry of one stack shares with the CloudFront distribution before it.
//!
//! They are in a folder of the stack, so that several stacks can use one bucket, and deleting one leaves the others alone:
//!
//! | file | content |
//! |---|---|
//! | `secrets.json` | the versions in use and the place that they were made for; nothing secret. Written last |
//! | `secrets-VERSION.json` | the secrets of a version: written once, so that everybody who makes it has the same |
//! | `download-key.json` | the key that signs URLs of CloudFront: written once |
//! | `keys-VERSION.json` | what CloudFront imports into a key value store ("Import file format") |

mod state;

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
pub use state::Location;
use state::State;

/// The longest file that is read, in bytes.
const LONGEST: u64 = 4096;

/// The secrets of one stack, in storage.
pub struct EdgeSecrets {
    driver: Arc<dyn StorageDriver>,
    stack: String,
}

/// The secrets in use.
#[derive(PartialEq, Eq)]
pub struct Issued {
    /// What the registry takes as proof that a request came through CloudFront. The first is the current version's, which
    /// CloudFront sends.
    pub origin: Vec<String>,
    /// The keys of upload tickets. The first signs: it is the older of two, which CloudFront knows before and after the update
    /// that brings it the other.
    pub upload: Vec<String>,
    /// The key that signs URLs: PKCS#8 in base64.
    pub download: String,
    /// The file that CloudFront imports.
    pub keys: Path,
}

/// Why there are no secrets.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EdgeSecretsError {
    /// The version is no name of a file.
    #[error("Version: allowed are 1 to 64 letters, digits, dots, _ and -")]
    Version,
    /// The stack's id is no name of a folder.
    #[error("StackId: its last part has not 1 to 64 letters, digits and -")]
    Stack,
    /// An update finds no secrets where earlier versions must have left them.
    #[error(
        "{0} is missing: CloudFront goes on with the secrets that were there, and cannot be given others; restore the folder, \
         or delete the stack and create it again"
    )]
    Missing(Path),
    /// The secrets were made for another bucket or root directory.
    #[error(
        "the bucket or root directory of a stack cannot change (from {0} to {1}), since CloudFront has its secrets from there; \
         set it back, or create another stack"
    )]
    Moved(Location, Location),
    /// Storage failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

/// The secrets of one version.
#[derive(Serialize, Deserialize)]
struct Set {
    origin: String,
    upload: String,
}

/// The key that signs URLs.
#[derive(Serialize, Deserialize)]
struct DownloadKey {
    pkcs8: String,
}

impl EdgeSecrets {
    /// Those of the stack that has the id `stack`, which is the last part of its ARN.
    ///
    /// # Errors
    /// [`EdgeSecretsError::Stack`].
    pub fn new(driver: Arc<dyn StorageDriver>, stack: &str) -> Result<Self, EdgeSecretsError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if (1..=64).contains(&stack.len()) && stack.bytes().all(is_plain) {
            Ok(Self { driver, stack: stack.to_owned() })
        } else {
            Err(EdgeSecretsError::Stack)
        }
    }

    /// Makes the secrets of a new stack at `location`; what an earlier attempt left is used. Safe to repeat, and by two at
    /// once: the same version has the same secrets.
    ///
    /// # Errors
    /// [`EdgeSecretsError`].
    pub async fn create(&self, ctx: &Context, version: &str, location: &Location) -> Result<Issued, EdgeSecretsError> {
        self.issue(ctx, version, location, true).await
    }

    /// Makes `version` the current one, if it is not. One that was before it may become the current one again. Safe to repeat
    /// as [`Self::create`] is.
    ///
    /// # Errors
    /// [`EdgeSecretsError`].
    pub async fn update(&self, ctx: &Context, version: &str, location: &Location) -> Result<Issued, EdgeSecretsError> {
        self.issue(ctx, version, location, false).await
    }

    /// Removes everything of this stack.
    ///
    /// # Errors
    /// [`BackendError`]; that nothing is there is none.
    pub async fn remove(&self, ctx: &Context) -> Result<(), BackendError> {
        match self.driver.delete_tree(ctx, &super::path(PathSpec::Edge(&self.stack, None))?).await {
            Err(error) if !error.is_not_found() => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// `is_new`: what is missing may be made.
    async fn issue(
        &self,
        ctx: &Context,
        version: &str,
        location: &Location,
        is_new: bool,
    ) -> Result<Issued, EdgeSecretsError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if !(1..=64).contains(&version.len()) || !version.bytes().all(is_plain) {
            return Err(EdgeSecretsError::Version);
        }
        let at = self.file("secrets.json")?;
        let before: Option<State> = self.read(ctx, &at).await?;
        let state = match &before {
            Some(before) if before.location != *location => {
                return Err(EdgeSecretsError::Moved(before.location.clone(), location.clone()));
            }
            Some(before) => before.with_current(version),
            None if is_new => State::new(version, location),
            None => return Err(EdgeSecretsError::Missing(at)),
        };
        let is_known = |version: &str| before.as_ref().is_some_and(|before| before.has(version));

        let path = self.file("download-key.json")?;
        let generate = || Some(DownloadKey { pkcs8: UrlKey::generate().ok()? });
        let download = self.once(ctx, path, is_new, generate).await?.pkcs8;
        let (mut origin, mut upload) = (Vec::new(), Vec::new());
        for version in &state.versions {
            let path = self.file(&format!("secrets-{version}.json"))?;
            let set = self.once(ctx, path, is_new || !is_known(version), Set::generate).await?;
            upload.push(set.upload);
            if *version == state.current {
                origin.insert(0, set.origin);
            } else {
                origin.push(set.origin);
            }
        }
        let keys = self.file(&format!("keys-{version}.json"))?;
        let entry = json!({ "data": [{ "key": "upload-keys", "value": upload.join(",") }] });
        self.write(ctx, &keys, &entry, false).await?;
        if before.as_ref() != Some(&state) {
            self.write(ctx, &at, &state, false).await?;
        }
        self.forget(ctx, &state).await?;
        Ok(Issued { origin, upload, download, keys })
    }

    /// What is at `path`; generated, if there is nothing and that `may` be.
    async fn once<T: Serialize + DeserializeOwned>(
        &self,
        ctx: &Context,
        path: Path,
        may: bool,
        generate: impl Fn() -> Option<T>,
    ) -> Result<T, EdgeSecretsError> {
        if let Some(found) = self.read(ctx, &path).await? {
            return Ok(found);
        }
        if !may {
            return Err(EdgeSecretsError::Missing(path));
        }
        let made = generate().ok_or_else(|| failed("the system has no randomness"))?;
        if self.write(ctx, &path, &made, true).await? {
            return Ok(made);
        }
        // Another was faster: its secrets count.
        Ok(self.read(ctx, &path).await?.ok_or_else(|| failed("the secrets are gone while they are made"))?)
    }

    /// Removes what is no longer in use.
    async fn forget(&self, ctx: &Context, state: &State) -> Result<(), BackendError> {
        let mut gone = Vec::new();
        for version in &state.retired {
            gone.push(self.file(&format!("keys-{version}.json"))?);
            gone.push(self.file(&format!("secrets-{version}.json"))?);
        }
        if !gone.is_empty() {
            self.driver.delete(ctx, &gone).await?;
        }
        Ok(())
    }

    async fn read<T: DeserializeOwned>(&self, ctx: &Context, path: &Path) -> Result<Option<T>, BackendError> {
        match self.driver.get(ctx, path, LONGEST).await {
            // What is wrong with it is not said: a parser's error may hold what it read.
            Ok(content) => match serde_json::from_slice(&content) {
                Ok(content) => Ok(Some(content)),
                Err(_) => {
                    Err(failed(&format!("{path} is not as this registry writes it; restore an earlier version of it")))
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

    fn file(&self, name: &str) -> Result<Path, BackendError> {
        Ok(super::path(PathSpec::Edge(&self.stack, Some(name)))?)
    }
}

impl Set {
    fn generate() -> Option<Self> {
        Some(Self { origin: secret()?, upload: secret()? })
    }
}

/// 256 bits, as text that headers and queries take.
fn secret() -> Option<String> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

fn failed(message: &str) -> BackendError {
    BackendError::new(BackendErrorKind::Failed, message)
}
