//! SigV4 of a presigned request ("Create a signed AWS API request", IAM User Guide), written apart from what signs them.

use std::collections::BTreeMap;

use http::request::Parts;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use ring::{digest, hmac};
use time::{Duration, OffsetDateTime, PrimitiveDateTime, macros::format_description};

const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// STS takes no older signature, whatever it says itself.
const OLDEST: Duration = Duration::minutes(15);

/// The parameters of a query, decoded; of a name that is there twice, the last.
pub(super) struct Query(BTreeMap<String, String>);

impl Query {
    pub(super) fn parse(query: &str) -> Self {
        let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        Self(pairs.map(|(name, value)| (decode(name), decode(value))).collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn access_key(&self) -> Option<&str> {
        self.get("X-Amz-Credential")?.split('/').next()
    }

    /// The signature that a request of this query should have; none when something of it is missing.
    pub(super) fn signature(&self, parts: &Parts, secret: &str) -> Option<String> {
        let scope = self.get("X-Amz-Credential")?.split_once('/')?.1;
        let names = self.get("X-Amz-SignedHeaders")?;
        let mut headers = String::new();
        for name in names.split(';') {
            let value = parts.headers.get(name)?.to_str().ok()?.trim();
            headers.push_str(&format!("{name}:{value}\n"));
        }
        let encode = |text: &str| utf8_percent_encode(text, ESCAPED).to_string();
        let query = self.0.iter().filter(|(name, _)| *name != "X-Amz-Signature");
        let mut query: Vec<String> = query.map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        query.sort();
        let (method, path, query, empty) = (&parts.method, parts.uri.path(), query.join("&"), hash(""));
        let request = hash(&format!("{method}\n{path}\n{query}\n{headers}\n{names}\n{empty}"));
        let signed = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{request}", self.get("X-Amz-Date")?);
        let key = scope.split('/').fold(format!("AWS4{secret}").into_bytes(), |key, part| sign(&key, part));
        Some(hex::encode(sign(&key, &signed)))
    }

    pub(super) fn is_in_time(&self) -> bool {
        let format = format_description!("[year][month][day]T[hour][minute][second]Z");
        let date = self.get("X-Amz-Date").and_then(|date| PrimitiveDateTime::parse(date, format).ok());
        let life = self.get("X-Amz-Expires").and_then(|life| life.parse().ok()).map(Duration::seconds);
        let (Some(date), Some(life)) = (date.map(PrimitiveDateTime::assume_utc), life) else { return false };
        OffsetDateTime::now_utc() < date + life.min(OLDEST)
    }
}

fn hash(text: &str) -> String {
    hex::encode(digest::digest(&digest::SHA256, text.as_bytes()))
}

fn sign(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}
