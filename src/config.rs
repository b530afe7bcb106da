//! What a registry is told: YAML in distribution's format, and `REGISTRY_*` variables that override it.
//!
//! A file is flattened to dotted keys, variables replace some of them, and each
//! section reads its own. An unknown key or a bad value is one line that names the place, the key, and what is
//! allowed; nothing is ignored in silence.

mod address;
mod auth;
mod cloudfront;
mod descriptor_cache;
mod direct_upload;
mod duration;
mod edge;
mod environment;
mod error;
mod http;
mod keys;
mod log;
mod secret;
mod settings;
mod storage;
mod upload_purging;
mod url;
mod validation;
mod yaml;

use std::{fs::File, io::Read as _, path::Path};

pub use address::{Address, AddressError};
pub use auth::{Auth, Berth, Controller, ExternalKeys, ExternalToken, HtpasswdUsers, Issuer};
pub use cloudfront::CloudFront;
pub use descriptor_cache::{CacheKind, DescriptorCache, DynamoDb};
pub use direct_upload::DirectUpload;
pub use edge::Edge;
pub use environment::process_environment;
pub use error::ConfigError;
pub use http::Http;
pub use keys::keys;
pub use log::{Formatter, Log};
pub use secret::Secret;
pub use storage::{Credentials, Driver, S3, Storage};
pub use upload_purging::UploadPurging;
pub use validation::Validation;

use environment::Environment;
use error::quoted;
use settings::{Settings, Source};

/// A configuration, complete: what nothing sets has its default.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    /// What is logged, and how.
    pub log: Log,
    /// Where content lies, and what remembers descriptors.
    pub storage: Storage,
    /// Who is let in.
    pub auth: Auth,
    /// How the API is served.
    pub http: Http,
    /// What a manifest must satisfy.
    pub validation: Validation,
    /// What whoever configured this should know, a line each, for the log.
    pub warnings: Vec<String>,
}

impl Config {
    /// The configuration that `file` and the variables give; without a file, `REGISTRY_CONFIGURATION_PATH` names one,
    /// or there is none and none is needed. Variables that do not begin with `REGISTRY_` are passed over
    /// ([`process_environment`] gives those of this process).
    ///
    /// # Errors
    /// The first thing that is wrong, in one line.
    pub fn load(file: Option<&Path>, env: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let environment = Environment::new(env)?;
        let Some(file) = file.or_else(|| environment.configuration_path().map(Path::new)) else {
            return Self::build(None, &environment);
        };
        let name = file.display().to_string();
        let text = read(file).map_err(|reason| ConfigError::new(&name, "", &reason))?;
        Self::build(Some((&name, &text)), &environment)
    }

    /// As [`Self::load`], of a file whose name and text are given.
    ///
    /// # Errors
    /// The first thing that is wrong, in one line.
    pub fn parse(name: &str, text: &str, env: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        Self::build(Some((name, text)), &Environment::new(env)?)
    }

    fn build(file: Option<(&str, &str)>, environment: &Environment) -> Result<Self, ConfigError> {
        let mut settings = Settings::default();
        if let Some((name, text)) = file {
            let node = yaml::parse(text).map_err(|fault| {
                let origin = fault.line.map_or_else(|| name.to_owned(), |line| format!("{name}:{line}"));
                ConfigError::new(&origin, "", &format!("not readable as YAML: {}", fault.message))
            })?;
            settings.put(keys::ROOT, node, Source::File(name, 1))?;
        }
        environment.apply(&mut settings)?;
        match (settings.get("version"), file) {
            (Some(version), _) if version.text != "0.1" => return Err(version.refuse()),
            (None, Some((name, _))) => return Err(ConfigError::new(name, "version", "missing; allowed: 0.1")),
            _ => {}
        }
        let mut warnings = Vec::new();
        if let Some(origin) = settings.origin("health.storagedriver") {
            warnings.push(format!("{origin}: health.storagedriver: without effect in Berth"));
        }
        Ok(Self {
            log: Log::read(&settings)?,
            storage: Storage::read(&settings, &mut warnings)?,
            auth: Auth::read(&settings)?,
            http: Http::read(&settings, &mut warnings)?,
            validation: Validation::read(&settings)?,
            warnings,
        })
    }

    /// Itself, where a server may take it as it is: the host by which clients reach a server is theirs to say, and so no
    /// proof that is bound to a host means anything, unless configuration says which host is meant. (Behind a function
    /// URL or an HTTP API it is AWS that says it.)
    ///
    /// # Errors
    /// What is missing.
    pub fn for_server(self) -> Result<Self, ConfigError> {
        let bound = matches!(&self.auth.controller, Controller::Berth(berth) if berth.aws || !berth.oidc.is_empty());
        if bound && self.http.host.is_none() {
            let reason = "missing; AWS credentials and tokens of issuers are bound to it: set it to https://HOST as clients \
                          reach this server, or turn off auth.berth.aws and auth.berth.oidc";
            return Err(ConfigError::new("auth.berth", "http.host", reason));
        }
        Ok(self)
    }

    /// With content in `folder`, as `--data` says.
    ///
    /// # Errors
    /// The configuration already says that content lies elsewhere.
    pub fn with_data_dir(mut self, folder: &Path) -> Result<Self, ConfigError> {
        const FLAG: &str = "--data";
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        if folder.as_os_str().is_empty() {
            return Err(ConfigError::new(FLAG, "", "\"\" is not allowed; allowed: the path of a folder"));
        }
        let elsewhere = match &self.storage.driver {
            Driver::Filesystem { root } if absolute(root) == absolute(folder) => None,
            Driver::Filesystem { root } => Some(quoted(&root.display().to_string())),
            Driver::S3(_) => Some("s3".to_owned()),
            Driver::InMemory => Some("inmemory".to_owned()),
        };
        if let (Some(elsewhere), Some(origin)) = (elsewhere, &self.storage.chosen_by) {
            let reason = format!("storage is {elsewhere} already ({origin}); allowed: one of the two");
            return Err(ConfigError::new(FLAG, "", &reason));
        }
        self.storage.driver = Driver::Filesystem { root: folder.to_owned() };
        self.storage.chosen_by = Some(FLAG.to_owned());
        Ok(self)
    }

    /// With `addr` as where to listen, as `--addr` says.
    ///
    /// # Errors
    /// It is not `HOST:PORT`.
    pub fn with_addr(mut self, addr: &str) -> Result<Self, ConfigError> {
        let allowed = keys::find("http.addr").map_or("", |key| key.allowed);
        let refuse =
            |_| ConfigError::new("--addr", "", &format!("{} is not allowed; allowed: {allowed}", quoted(addr)));
        self.http.addr = addr.parse().map_err(refuse)?;
        Ok(self)
    }
}

/// The text of `file`, which is read no further than it may be long.
fn read(file: &Path) -> Result<String, String> {
    let unreadable = |error| format!("cannot be read: {error}");
    let mut bytes = Vec::new();
    let limit = u64::try_from(yaml::LONGEST).unwrap_or(u64::MAX).saturating_add(1);
    File::open(file).map_err(unreadable)?.take(limit).read_to_end(&mut bytes).map_err(unreadable)?;
    String::from_utf8(bytes).map_err(|_| "not UTF-8; allowed: YAML in UTF-8".to_owned())
}
