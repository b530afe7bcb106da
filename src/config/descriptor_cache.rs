//! `storage.cache` and `dynamodb`.

use super::{
    error::ConfigError,
    settings::{Found, Settings},
    storage::{Driver, read_endpoint, read_region},
};

/// What remembers the descriptors of blobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescriptorCache {
    /// Where they are remembered.
    pub kind: CacheKind,
    /// How many of them this process remembers at most.
    pub entries: u32,
    /// Whether this process remembers for some seconds who has access to what, beside a table that all share.
    pub remember_access: bool,
}

/// Where descriptors are remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CacheKind {
    /// Nowhere: the driver is asked each time.
    None,
    /// In this process.
    InMemory,
    /// In a table that all instances share, and in this process.
    DynamoDb(DynamoDb),
}

/// A DynamoDB table. Its keys are `pk` and `sk`, strings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DynamoDb {
    /// Its name or ARN.
    pub table: String,
    /// Its region: that of the bucket, where `dynamodb.region` says nothing; without either, as the AWS environment
    /// says.
    pub region: Option<String>,
    /// The URL of a DynamoDB that is not AWS's own, without a slash at the end.
    pub endpoint: Option<String>,
}

#[derive(Clone, Copy)]
enum Chosen {
    InMemory,
    DynamoDb,
}

/// As in distribution.
const ENTRIES: u32 = 10_000;

/// An entry is some 200 bytes, so this many take 2 GB.
const MOST_ENTRIES: u32 = 10_000_000;

impl DescriptorCache {
    /// What serves `driver` when nothing is configured: memory where asking costs a request, nothing where it does
    /// not.
    pub fn default_for(driver: &Driver) -> Self {
        let kind = match driver {
            Driver::S3(_) => CacheKind::InMemory,
            Driver::Filesystem { .. } | Driver::InMemory => CacheKind::None,
        };
        Self { kind, entries: ENTRIES, remember_access: true }
    }

    pub(super) fn read(settings: &Settings, driver: &Driver, warnings: &mut Vec<String>) -> Result<Self, ConfigError> {
        let default = Self::default_for(driver);
        let chosen = chosen(settings, warnings)?;
        let table = DynamoDb::read(settings, driver)?;
        let kind = match (chosen, table) {
            (Some((Chosen::DynamoDb, _)), Some(table)) => CacheKind::DynamoDb(table),
            (Some((Chosen::DynamoDb, found)), None) => {
                let origin = settings.origin("dynamodb").unwrap_or(found.origin);
                let reason =
                    format!("missing, and {}: dynamodb needs it; allowed: the name or ARN of a table", found.path);
                return Err(ConfigError::new(origin, "dynamodb.table", &reason));
            }
            (Some((Chosen::InMemory, _)), _) => CacheKind::InMemory,
            (None, _) => default.kind,
        };
        if let (false, Some(origin)) = (matches!(kind, CacheKind::DynamoDb(_)), settings.origin("dynamodb")) {
            warnings
                .push(format!("{origin}: dynamodb: without effect unless storage.cache.blobdescriptor is dynamodb"));
        }
        let entries = settings.whole("storage.cache.blobdescriptorsize", 1..=MOST_ENTRIES)?;
        let remember_access = settings.switch("storage.cache.rememberaccess", default.remember_access)?;
        Ok(Self { kind, entries: entries.unwrap_or(default.entries), remember_access })
    }
}

/// What `blobdescriptor` says, or `layerinfo`, which was its name in distribution's early days.
fn chosen<'a>(settings: &'a Settings, warnings: &mut Vec<String>) -> Result<Option<(Chosen, Found<'a>)>, ConfigError> {
    const NOW: &str = "storage.cache.blobdescriptor";
    const ONCE: &str = "storage.cache.layerinfo";
    let path = match (settings.get(NOW), settings.get(ONCE)) {
        (Some(now), Some(once)) => {
            let reason = format!("another name of blobdescriptor, which is given too ({})", now.origin);
            return Err(once.because(&reason));
        }
        (None, Some(once)) => {
            warnings.push(format!("{}: {ONCE}: deprecated; its name is blobdescriptor now", once.origin));
            ONCE
        }
        _ => NOW,
    };
    let choice = settings.choice(path, &[("inmemory", Chosen::InMemory), ("dynamodb", Chosen::DynamoDb)])?;
    Ok(choice.zip(settings.get(path)))
}

impl DynamoDb {
    /// What section `dynamodb` says, if it names a table.
    fn read(settings: &Settings, driver: &Driver) -> Result<Option<Self>, ConfigError> {
        let region = settings.get("dynamodb.region").map(|found| read_region(&found)).transpose()?;
        let endpoint = settings.get("dynamodb.endpoint").map(|found| read_endpoint(&found)).transpose()?;
        let Some(table) = settings.get("dynamodb.table") else { return Ok(None) };
        // "Naming rules" in the DynamoDB Developer Guide; an ARN may stand in a name's place.
        let is_name = (3..=255).contains(&table.text.len())
            && table.text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
        let is_arn = table.text.starts_with("arn:") && !table.text.contains(char::is_whitespace);
        if !is_name && !is_arn {
            return Err(table.refuse());
        }
        let bucket_region = if let Driver::S3(bucket) = driver { bucket.region.clone() } else { None };
        Ok(Some(Self { table: table.text.to_owned(), region: region.or(bucket_region), endpoint }))
    }
}
