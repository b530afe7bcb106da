//! `storage`.

use std::path::PathBuf;

use super::{
    cloudfront::CloudFront,
    descriptor_cache::DescriptorCache,
    direct_upload::DirectUpload,
    error::ConfigError,
    secret::Secret,
    settings::{Found, Settings},
    upload_purging::UploadPurging,
    url,
};

/// Where content lies, and what may be done with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storage {
    /// Where content lies.
    pub driver: Driver,
    /// Where the configuration says so (file and line, variable or flag); `None` when nothing does and the default
    /// folder serves.
    pub chosen_by: Option<String>,
    /// Whether manifests, tags and blobs may be deleted.
    pub delete: bool,
    /// Whether clients are sent to the driver's own URLs for blobs, where it has them.
    pub redirect: bool,
    /// What signs URLs of a CloudFront distribution, if they are sent there.
    pub cloudfront: Option<CloudFront>,
    /// How blobs are divided that clients hand to the driver themselves.
    pub direct_upload: DirectUpload,
    /// When uploads that nobody finished are removed.
    pub upload_purging: UploadPurging,
    /// What remembers descriptors.
    pub cache: DescriptorCache,
}

/// Where content lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Driver {
    /// In a folder.
    Filesystem {
        /// The folder; relative to the working directory, unless absolute.
        root: PathBuf,
    },
    /// In a bucket.
    S3(S3),
    /// In this process, until it ends.
    InMemory,
}

/// A bucket, and how it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3 {
    /// Its name, or the ARN or alias of an access point.
    pub bucket: String,
    /// Its region; without one, as the AWS environment says.
    pub region: Option<String>,
    /// The URL of an S3 that is not AWS's own, without a slash at the end.
    pub endpoint: Option<String>,
    /// What every key begins with: empty, or names with `/` between them and at the end.
    pub root: String,
    /// Whether the bucket stands in the path rather than in the host name.
    pub force_path_style: bool,
    /// Who asks; without them, as the AWS environment says.
    pub credentials: Option<Credentials>,
}

/// An access key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Its id, which is no secret.
    pub access_key: String,
    /// Its secret.
    pub secret_key: Secret,
}

impl Default for Driver {
    fn default() -> Self {
        Self::Filesystem { root: PathBuf::from("./data") }
    }
}

impl Default for Storage {
    fn default() -> Self {
        let driver = Driver::default();
        let cache = DescriptorCache::default_for(&driver);
        Self {
            driver,
            chosen_by: None,
            delete: true,
            redirect: true,
            cloudfront: None,
            direct_upload: DirectUpload::default(),
            upload_purging: UploadPurging::default(),
            cache,
        }
    }
}

impl Storage {
    pub(super) fn read(settings: &Settings, warnings: &mut Vec<String>) -> Result<Self, ConfigError> {
        let (driver, chosen_by) = read_driver(settings)?;
        let default = Self::default();
        let redirect = !settings.switch("storage.redirect.disable", !default.redirect)?;
        let cloudfront = CloudFront::read(settings)?;
        if let (false, Some(_), Some(origin)) = (redirect, &cloudfront, settings.origin("storage.redirect.cloudfront"))
        {
            warnings.push(format!(
                "{origin}: storage.redirect.cloudfront: without effect, as storage.redirect.disable has it"
            ));
        }
        Ok(Self {
            cache: DescriptorCache::read(settings, &driver, warnings)?,
            driver,
            chosen_by,
            delete: settings.switch("storage.delete.enabled", default.delete)?,
            redirect,
            cloudfront,
            direct_upload: DirectUpload::read(settings)?,
            upload_purging: UploadPurging::read(settings)?,
        })
    }
}

fn read_driver(settings: &Settings) -> Result<(Driver, Option<String>), ConfigError> {
    let named = ["filesystem", "s3", "inmemory"].map(|name| (name, settings.origin(&format!("storage.{name}"))));
    let mut chosen = named.into_iter().filter_map(|(name, origin)| Some((name, origin?)));
    let first = chosen.next();
    if let (Some((one, here)), Some((other, there))) = (first, chosen.next()) {
        let reason = format!("{other} is given too ({there}); allowed: one of filesystem, s3, inmemory");
        return Err(ConfigError::new(here, &format!("storage.{one}"), &reason));
    }
    match first {
        Some(("s3", origin)) => Ok((Driver::S3(S3::read(settings, origin)?), Some(origin.to_owned()))),
        Some(("inmemory", origin)) => Ok((Driver::InMemory, Some(origin.to_owned()))),
        // A filesystem without a folder leaves the choice to the default, or to whoever knows better.
        _ => match settings.get("storage.filesystem.rootdirectory") {
            Some(found) => Ok((Driver::Filesystem { root: found.text.into() }, Some(found.origin.to_owned()))),
            None => Ok((Driver::default(), None)),
        },
    }
}

impl S3 {
    fn read(settings: &Settings, origin: &str) -> Result<Self, ConfigError> {
        let Some(bucket) = settings.get("storage.s3.bucket") else {
            return Err(ConfigError::new(origin, "storage.s3.bucket", "missing; allowed: the name of a bucket"));
        };
        let is_name = bucket.text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        let is_arn = bucket.text.starts_with("arn:") && !bucket.text.contains(char::is_whitespace);
        if !is_name && !is_arn {
            return Err(bucket.refuse());
        }
        let endpoint = settings.get("storage.s3.regionendpoint").map(|found| read_endpoint(&found)).transpose()?;
        Ok(Self {
            bucket: bucket.text.to_owned(),
            region: settings.get("storage.s3.region").map(|found| read_region(&found)).transpose()?,
            root: settings.get("storage.s3.rootdirectory").map_or(Ok(String::new()), |found| read_root(&found))?,
            // Stores that are not AWS's own rarely have a host name for each bucket.
            force_path_style: settings.switch("storage.s3.forcepathstyle", endpoint.is_some())?,
            endpoint,
            credentials: read_credentials(settings)?,
        })
    }
}

/// A region's name stands in host names, so it must not hold anything else.
pub(super) fn read_region(found: &Found<'_>) -> Result<String, ConfigError> {
    let is_name = found.text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if is_name { Ok(found.text.to_owned()) } else { Err(found.refuse()) }
}

pub(super) fn read_endpoint(found: &Found<'_>) -> Result<String, ConfigError> {
    let (host, path) = url::read(found)?;
    Ok(host + &path)
}

/// Keys have no slash at their beginning; distribution trims both ends too.
fn read_root(found: &Found<'_>) -> Result<String, ConfigError> {
    let root = found.text.trim_matches('/');
    let is_name = |name: &str| !matches!(name, "" | "." | "..") && !name.contains(char::is_control);
    match root {
        "" => Ok(String::new()),
        root if root.split('/').all(is_name) => Ok(format!("{root}/")),
        _ => Err(found.refuse()),
    }
}

fn read_credentials(settings: &Settings) -> Result<Option<Credentials>, ConfigError> {
    match (settings.get("storage.s3.accesskey"), settings.get("storage.s3.secretkey")) {
        (Some(id), Some(secret)) => {
            Ok(Some(Credentials { access_key: id.text.to_owned(), secret_key: Secret::new(secret.text) }))
        }
        (Some(alone), None) | (None, Some(alone)) => Err(alone.because("given without the other half")),
        (None, None) => Ok(None),
    }
}
