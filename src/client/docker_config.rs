//! Docker's `config.json`, which podman, skopeo, crane, oras, helm and containerd's nerdctl read too.

use std::{
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{json, ser::PrettyFormatter};

use super::{
    Host,
    docker_credentials::Kept,
    json_object::Object,
    keychain::{Keychain, is_name},
};
use crate::config::Secret;

/// The helpers of single registries, by host.
const HELPERS: &str = "credHelpers";
/// Logins that are kept in the file itself.
const LOGINS: &str = "auths";
/// The helper of every other registry.
const STORE: &str = "credsStore";

/// The file, read. What is not about logins is written again as it was.
#[derive(Debug)]
pub struct DockerConfig {
    path: PathBuf,
    content: Object,
}

/// The file cannot be used; it is as it was.
#[derive(Debug, thiserror::Error)]
pub enum DockerConfigError {
    /// Nobody says where it is.
    #[error("there is no home directory to keep logins in; set DOCKER_CONFIG to the folder of Docker's config.json")]
    Homeless,
    /// The system refuses.
    #[error("{path}: {cause}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// It holds something else.
    #[error("{path}: {part} is not as Docker writes it (line {line}, column {column}); repair it, or move it away")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The whole, or which member of it.
        part: &'static str,
        /// Where, from 1, in the part.
        line: usize,
        /// Where in that line.
        column: usize,
    },
}

impl DockerConfig {
    /// The file of whoever runs this process: in the folder that `DOCKER_CONFIG` names, else in `~/.docker`. It need
    /// not be there.
    ///
    /// # Errors
    /// [`DockerConfigError`].
    pub fn open() -> Result<Self, DockerConfigError> {
        let named = env::var_os("DOCKER_CONFIG").filter(|folder| !folder.is_empty()).map(PathBuf::from);
        let home = || env::home_dir().filter(|home| !home.as_os_str().is_empty()).map(|home| home.join(".docker"));
        let folder = named.or_else(home).ok_or(DockerConfigError::Homeless)?;
        Self::read(&folder.join("config.json"))
    }

    /// The file at `path`; what a symlink leads to is what is read and replaced.
    ///
    /// # Errors
    /// [`DockerConfigError`].
    pub fn read(path: &Path) -> Result<Self, DockerConfigError> {
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => String::new(),
            Err(cause) => return Err(DockerConfigError::Io { path, cause }),
        };
        let content = if text.trim().is_empty() { Ok(Object::default()) } else { serde_json::from_str(&text) };
        let content = content.map_err(|error| malformed(&path, "the file", &error))?;
        let mut this = Self { path, content };
        // Found wrong now, rather than after somebody logged in.
        for part in [HELPERS, LOGINS] {
            this.part(part)?;
        }
        Ok(this)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The helper that Docker asks for the login of `host`: the host's own, else the one for all.
    pub fn keychain(&mut self, host: &Host) -> Option<Keychain> {
        self.helper(host).or_else(|| self.store()).and_then(|name| Keychain::new(&name))
    }

    /// The helper of `host` alone.
    pub fn helper(&mut self, host: &Host) -> Option<String> {
        self.content.object(HELPERS).ok()??.get(host.as_str())
    }

    /// The helper of all registries that have none of their own.
    pub fn store(&self) -> Option<String> {
        self.content.get(STORE).filter(|name: &String| is_name(name))
    }

    /// The registries whose own helper is `name`.
    pub fn helped_by(&mut self, name: &str) -> Vec<String> {
        let Ok(Some(helpers)) = self.content.object(HELPERS) else { return Vec::new() };
        helpers.members::<String>().filter(|(_, helper)| helper == name).map(|(host, _)| host.to_owned()).collect()
    }

    /// The login for `host` that is in the file, under whatever URL of it.
    pub(super) fn login(&mut self, host: &Host) -> Option<Kept> {
        let logins = self.content.object(LOGINS).ok()??;
        logins.get(host.login_key()).or_else(|| {
            let of_host = |key: &str| Host::of_url(key).is_ok_and(|named| named == *host);
            logins.members().find(|(key, _)| of_host(key)).map(|(_, kept)| kept)
        })
    }

    /// Has `name` asked for the login of `host`, and forgets the one that is in the file.
    ///
    /// # Errors
    /// [`DockerConfigError::Malformed`].
    pub fn set_helper(&mut self, host: &Host, name: &str) -> Result<(), DockerConfigError> {
        self.forget_login(host)?;
        self.set(HELPERS, host, &name)
    }

    /// Keeps a login for `host` in the file.
    ///
    /// # Errors
    /// [`DockerConfigError::Malformed`].
    pub fn set_login(&mut self, host: &Host, name: &str, password: &Secret) -> Result<(), DockerConfigError> {
        let auth = STANDARD.encode(format!("{name}:{}", password.expose()));
        self.set(LOGINS, host, &json!({ "auth": auth }))
    }

    /// Notes, as Docker does, that there is a login for `host` in a keychain.
    ///
    /// # Errors
    /// [`DockerConfigError::Malformed`].
    pub fn note_login(&mut self, host: &Host) -> Result<(), DockerConfigError> {
        self.set(LOGINS, host, &json!({}))
    }

    /// Forgets the helper of `host`; whether there was one.
    ///
    /// # Errors
    /// [`DockerConfigError::Malformed`].
    pub fn forget_helper(&mut self, host: &Host) -> Result<bool, DockerConfigError> {
        Ok(self.part(HELPERS)?.is_some_and(|part| part.remove(host.as_str())))
    }

    /// Forgets the login for `host` that is in the file; whether there was one.
    ///
    /// # Errors
    /// [`DockerConfigError::Malformed`].
    pub fn forget_login(&mut self, host: &Host) -> Result<bool, DockerConfigError> {
        Ok(self.part(LOGINS)?.is_some_and(|part| part.remove(host.as_str())))
    }

    /// Replaces the file at once, so that nobody ever reads half of it; only its owner may read it then.
    ///
    /// # Errors
    /// [`DockerConfigError::Io`].
    pub fn save(mut self) -> Result<(), DockerConfigError> {
        self.content.remove_empty(HELPERS); // as Docker does, which always writes the logins
        self.write().map_err(|cause| DockerConfigError::Io { path: self.path, cause })
    }

    fn write(&self) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        make_private(folder)?;
        // Tabs, as Docker's own.
        let mut text = Vec::new();
        let mut json = serde_json::Serializer::with_formatter(&mut text, PrettyFormatter::with_indent(b"\t"));
        serde::Serialize::serialize(&self.content, &mut json)?;
        text.push(b'\n');
        // Made with mode 0600.
        let mut file = tempfile::Builder::new().prefix(".config.json.").tempfile_in(folder)?;
        file.write_all(&text)?;
        file.as_file().sync_all()?;
        file.persist(&self.path).map(drop).map_err(|error| error.error)
    }

    fn part(&mut self, part: &'static str) -> Result<Option<&mut Object>, DockerConfigError> {
        self.content.object(part).map_err(|error| malformed(&self.path, part, &error))
    }

    fn set(&mut self, part: &'static str, host: &Host, value: &impl serde::Serialize) -> Result<(), DockerConfigError> {
        let changed = self.content.object_or_new(part).and_then(|object| object.set(host.as_str(), value));
        changed.map_err(|error| malformed(&self.path, part, &error))
    }
}

/// The parser's own words may repeat what is in the file: a password.
fn malformed(path: &Path, part: &'static str, error: &serde_json::Error) -> DockerConfigError {
    DockerConfigError::Malformed { path: path.to_owned(), part, line: error.line(), column: error.column() }
}

/// Makes a folder that is its owner's alone, unless it is there.
fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}
