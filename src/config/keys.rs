//! Every key there is: what a file may hold, what a variable may override, what an error says is allowed.

/// A key.
#[derive(Debug)]
pub(super) struct Key {
    /// Its names from the outermost on, with dots between.
    pub(super) path: &'static str,
    pub(super) kind: Kind,
    /// The values it may have, as errors say it.
    pub(super) allowed: &'static str,
}

/// What lies under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// One value.
    Value,
    /// Names of the user's choice, each with one value.
    Values,
    /// Names of the user's choice, each with one value or a list of them.
    Lists,
    /// No keys: that it is there says it all.
    Bare,
    /// Anything: taken from configurations written for distribution, without effect.
    Ignored,
}

use Kind::{Bare, Ignored, Lists, Value, Values};

/// The root of everything.
pub(super) const ROOT: &str = "";

const SWITCH: &str = "true, false";
const ALL_OR_NONE: &str = "all, none";
const CACHES: &str = "inmemory, dynamodb";
const REGION: &str = "the name of a region, such as eu-central-1";
const EDGE_SECRETS: &str = "a text of 16 bytes or more without spaces, several with commas between";
const TIME: &str = "a time of a minute or more, such as 168h or 1h30m";
const ENDPOINT: &str = "http://HOST[:PORT] or https://HOST[:PORT], with or without a path";

/// The keys, in the order in which they are documented.
#[rustfmt::skip] // a table
static KEYS: &[Key] = &[
    key("version", Value, "0.1"),
    key("log.level", Value, "error, warn, info, debug"),
    key("log.formatter", Value, "text, json"),
    key("log.accesslog.disabled", Value, SWITCH),
    key("log.fields", Values, "a map of names, each with one value"),
    key("storage.filesystem.rootdirectory", Value, "the path of a folder"),
    key("storage.s3.bucket", Value, "the name of a bucket"),
    key("storage.s3.region", Value, REGION),
    key("storage.s3.regionendpoint", Value, ENDPOINT),
    key("storage.s3.rootdirectory", Value, "names with / between them, none of them empty, . or .."),
    key("storage.s3.forcepathstyle", Value, SWITCH),
    key("storage.s3.accesskey", Value, "an access key id, together with storage.s3.secretkey"),
    key("storage.s3.secretkey", Value, "a secret access key, together with storage.s3.accesskey"),
    key("storage.inmemory", Bare, "no keys"),
    key("storage.delete.enabled", Value, SWITCH),
    key("storage.redirect.disable", Value, SWITCH),
    key("storage.redirect.cloudfront.keypairid", Value, "the id of a public key in CloudFront, together with storage.redirect.cloudfront.privatekey"),
    key("storage.redirect.cloudfront.privatekey", Value, "PKCS#8 in base64 or PEM, together with storage.redirect.cloudfront.keypairid"),
    key("storage.redirect.cloudfront.life", Value, "a time from 1m to 24h, such as 20m"),
    key("storage.directupload.largestput", Value, "MiB, a whole number from 1 to 4768"),
    key("storage.directupload.part", Value, "MiB, a whole number from 5 to 5120"),
    key("storage.maintenance.uploadpurging.enabled", Value, SWITCH),
    key("storage.maintenance.uploadpurging.age", Value, TIME),
    key("storage.maintenance.uploadpurging.interval", Value, TIME),
    key("storage.maintenance.uploadpurging.dryrun", Value, SWITCH),
    key("storage.cache.blobdescriptor", Value, CACHES),
    key("storage.cache.layerinfo", Value, CACHES),
    key("storage.cache.blobdescriptorsize", Value, "a whole number from 1 to 10000000"),
    key("storage.cache.rememberaccess", Value, SWITCH),
    key("dynamodb.table", Value, "the name or ARN of a table"),
    key("dynamodb.region", Value, REGION),
    key("dynamodb.endpoint", Value, ENDPOINT),
    key("auth.htpasswd.realm", Value, "a name that clients are shown"),
    key("auth.htpasswd.path", Value, "the path of a file, as htpasswd -B makes it"),
    key("auth.htpasswd.users", Value, "NAME:HASH, as htpasswd -nB NAME prints it, several with commas or spaces between"),
    key("auth.token.realm", Value, "the URL where clients get their tokens"),
    key("auth.token.service", Value, "this registry's name with the issuer"),
    key("auth.token.issuer", Value, "the issuer's name"),
    key("auth.token.rootcertbundle", Value, "the path of a file of certificates, in PEM"),
    key("auth.token.jwks", Value, "the path of a JSON Web Key Set"),
    key("auth.berth.life", Value, "a time from 1m to 1h, such as 5m"),
    key("auth.berth.aws", Value, SWITCH),
    key("auth.berth.oidc", Value, "ISSUER AUDIENCE, the URL with https://, several on lines of their own or with ; between"),
    key("auth.berth.keys", Value, SWITCH),
    key("auth.rules", Value, "a rule a line: allow WHO to ACTIONS on REPOSITORIES"),
    key("http.addr", Value, "HOST:PORT, or :PORT for all interfaces"),
    key("http.secret", Value, "a text that all instances share, best of 16 bytes or more"),
    key("http.host", Value, "http://HOST[:PORT] or https://HOST[:PORT], without a path"),
    key("http.prefix", Value, "a path that begins and ends with /"),
    key("http.relativeurls", Value, SWITCH),
    key("http.headers", Lists, "a map of header names, each with a value or a list of values"),
    key("http.edge.originsecret", Value, EDGE_SECRETS),
    key("http.edge.required", Value, SWITCH),
    key("http.edge.uploadkey", Value, EDGE_SECRETS),
    key("validation.manifests.indexes.platforms", Value, ALL_OR_NONE),
    key("validation.manifests.images.layers", Value, ALL_OR_NONE),
    key("health.storagedriver", Ignored, "anything; it has no effect"),
];

const fn key(path: &'static str, kind: Kind, allowed: &'static str) -> Key {
    Key { path, kind, allowed }
}

/// What distribution offers and Berth does not, so that who comes from there reads why. Each stands for all below it.
const ONLY_IN_DISTRIBUTION: &[&str] = &[
    "auth.silly",
    "auth.token.autoredirect",
    "auth.token.autoredirectpath",
    "auth.token.signingalgorithms",
    "catalog",
    "health",
    "http.debug",
    "http.draintimeout",
    "http.h2c",
    "http.http2",
    "http.net",
    "http.tls",
    "log.hooks",
    "log.reportcaller",
    "loglevel",
    "middleware",
    "notifications",
    "policy",
    "proxy",
    "redis",
    "storage.azure",
    "storage.filesystem.maxthreads",
    "storage.gcs",
    "storage.maintenance.readonly",
    "storage.oss",
    "storage.s3.accelerate",
    "storage.s3.chunksize",
    "storage.s3.encrypt",
    "storage.s3.keyid",
    "storage.s3.loglevel",
    "storage.s3.multipartcopychunksize",
    "storage.s3.multipartcopymaxconcurrency",
    "storage.s3.multipartcopythresholdsize",
    "storage.s3.objectacl",
    "storage.s3.redirectendpoint",
    "storage.s3.secure",
    "storage.s3.sessiontoken",
    "storage.s3.skipverify",
    "storage.s3.storageclass",
    "storage.s3.usedualstack",
    "storage.s3.usefipsendpoint",
    "storage.s3.useragent",
    "storage.s3.v4auth",
    "storage.swift",
    "storage.tag",
    "tags",
    "validation.disabled",
    "validation.enabled",
    "validation.manifests.indexes.platformlist",
    "validation.manifests.urls",
];

/// What a dotted path is.
pub(super) enum Place {
    /// A key.
    Key(&'static Key),
    /// Keys lie below it.
    Section,
    /// Something below a key whose names the user chooses, or below one that is ignored.
    Below(&'static Key),
    /// No key.
    Unknown,
}

/// What `path` is.
pub(super) fn place(path: &str) -> Place {
    for key in KEYS {
        if key.path == path {
            return Place::Key(key);
        }
        if lies_below(key.path, path) {
            return Place::Section;
        }
        if lies_below(path, key.path) && matches!(key.kind, Values | Lists | Ignored) {
            return Place::Below(key);
        }
    }
    Place::Unknown
}

/// The key of exactly this path.
pub(super) fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path)
}

/// Why `path` is refused: no such key, and which there are.
pub(super) fn unknown(path: &str) -> String {
    let distributions = ONLY_IN_DISTRIBUTION.iter().any(|theirs| *theirs == path || lies_below(path, theirs));
    let what = if distributions { "distribution has this key, Berth does not offer it yet" } else { "unknown key" };
    let mut section = path;
    while !matches!(place(section), Place::Section) {
        section = section.rsplit_once('.').map_or(ROOT, |(parent, _)| parent);
    }
    format!("{what}; {}", children(section))
}

/// What is allowed in `section`.
pub(super) fn children(section: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for key in KEYS.iter().filter(|key| key.kind != Ignored && lies_below(key.path, section)) {
        let below = if section.is_empty() { key.path } else { &key.path[section.len() + 1..] };
        let name = below.split('.').next().unwrap_or(below);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let place = if section.is_empty() { String::new() } else { format!(" in {section}") };
    format!("allowed{place}: {}", names.join(", "))
}

/// Whether `path` lies below `section`.
pub(super) fn lies_below(path: &str, section: &str) -> bool {
    section.is_empty() && !path.is_empty() || path.strip_prefix(section).is_some_and(|rest| rest.starts_with('.'))
}

/// Every key in dots, for whoever checks that each is documented and can be overridden.
pub fn keys() -> impl Iterator<Item = &'static str> {
    KEYS.iter().filter(|key| key.kind != Ignored).map(|key| key.path)
}
