//! `http`.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::{
    address::Address,
    edge::Edge,
    error::{ConfigError, quoted},
    keys,
    secret::Secret,
    settings::Settings,
    url,
};

/// How the API is served.
#[derive(Debug, Clone, PartialEq)]
pub struct Http {
    /// Where to listen.
    pub addr: Address,
    /// What all instances sign upload states with. Without one, the registry makes one and keeps it in storage.
    pub secret: Option<Secret>,
    /// How clients reach the registry, as `scheme://authority`; without it, as the request says.
    pub host: Option<String>,
    /// The path that the API lies under, beginning and ending with `/`: `<prefix>v2/..`.
    pub prefix: String,
    /// Whether `Location` and `Link` have no host. [`Self::host`] has the greater weight.
    pub relative_urls: bool,
    /// What every answer bears.
    pub headers: HeaderMap,
    /// What it shares with the edge in front of it.
    pub edge: Edge,
}

/// A secret of fewer bytes could be guessed.
const SHORT_SECRET: usize = 16;

/// Headers by which a message is framed or the API speaks: a fixed value would break answers.
static OWN: &[HeaderName] = &[
    header::ACCEPT_RANGES,
    header::CONNECTION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
    header::ETAG,
    header::LINK,
    header::LOCATION,
    header::RANGE,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

impl Default for Http {
    fn default() -> Self {
        let headers = HeaderMap::from_iter([(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"))]);
        Self {
            addr: Address::default(),
            secret: None,
            host: None,
            prefix: "/".to_owned(),
            relative_urls: false,
            headers,
            edge: Edge::default(),
        }
    }
}

impl Http {
    pub(super) fn read(settings: &Settings, warnings: &mut Vec<String>) -> Result<Self, ConfigError> {
        let mut http = Self::default();
        if let Some(found) = settings.get("http.addr") {
            http.addr = found.text.parse().map_err(|_| found.refuse())?;
        }
        if let Some(found) = settings.get("http.secret") {
            if found.text.len() < SHORT_SECRET {
                warnings
                    .push(format!("{}: http.secret: shorter than {SHORT_SECRET} bytes, easy to guess", found.origin));
            }
            http.secret = Some(Secret::new(found.text));
        }
        if let Some(found) = settings.get("http.host") {
            let (host, path) = url::read(&found)?;
            if !path.is_empty() {
                return Err(found.refuse());
            }
            http.host = Some(host);
        }
        if let Some(found) = settings.get("http.prefix") {
            if !url::is_prefix(found.text) {
                return Err(found.refuse());
            }
            http.prefix = found.text.to_owned();
        }
        http.relative_urls = settings.switch("http.relativeurls", http.relative_urls)?;
        if let (true, Some(_), Some(origin)) = (http.relative_urls, &http.host, settings.origin("http.relativeurls")) {
            warnings.push(format!("{origin}: http.relativeurls: without effect beside http.host"));
        }
        read_headers(settings, &mut http.headers)?;
        http.edge = Edge::read(settings)?;
        Ok(http)
    }
}

/// Puts what `http.headers` says into `headers`. A header that it names loses its default.
fn read_headers(settings: &Settings, headers: &mut HeaderMap) -> Result<(), ConfigError> {
    const KEY: &str = "http.headers";
    let allowed = keys::find(KEY).map_or("", |key| key.allowed);
    for (written, values, origin) in settings.named(KEY) {
        let refuse = |reason: &str| {
            ConfigError::new(origin, &format!("{KEY}.{written}"), &format!("{reason}; allowed: {allowed}"))
        };
        let name = HeaderName::from_bytes(written.as_bytes()).map_err(|_| refuse("no name of a header"))?;
        if OWN.contains(&name) || name.as_str().starts_with("docker-") || name.as_str().starts_with("oci-") {
            return Err(refuse("a header that the registry itself sets"));
        }
        headers.remove(&name);
        for value in values {
            let value = HeaderValue::from_str(value)
                .map_err(|_| refuse(&format!("{} is no value of a header", quoted(value))))?;
            headers.append(&name, value);
        }
    }
    Ok(())
}
