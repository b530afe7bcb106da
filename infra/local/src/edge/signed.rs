//! Signed URLs ("Use signed URLs"): by a canned policy (`Expires`) or one of their own (`Policy`), with `Signature` and
//! `Key-Pair-Id`. What is signed is hashed by SHA-1, or by SHA-256 where the URL says `Hash-Algorithm=SHA256`. Keys are RSA of 2,048
//! bits or ECDSA of P-256 ("PublicKey", CloudFront API reference). Signed cookies are not looked at.

mod key;

pub use key::{KeyError, PublicKey};

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use time::OffsetDateTime;

use self::key::Hash;
use crate::iam::like;

/// Why a URL lets nobody in. The answers are as they were seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unsigned {
    #[error("the URL has no Key-Pair-Id")]
    NoKey,
    #[error("no trusted key has this Key-Pair-Id")]
    UnknownKey,
    #[error("the URL has no Signature, or neither Policy nor Expires")]
    Incomplete,
    #[error("the Policy is not one")]
    Malformed,
    #[error("the Signature is not that of the policy by the key")]
    Forged,
    #[error("the URL is not valid any more")]
    Expired,
    #[error("the policy does not allow this")]
    NotAllowed,
}

impl Unsigned {
    pub(super) fn xml(self) -> String {
        let (code, message) = match self {
            Unsigned::NoKey => ("MissingKey", "Missing Key-Pair-Id query parameter or cookie value"),
            Unsigned::UnknownKey => ("InvalidKey", "Unknown Key"),
            Unsigned::Malformed => ("MalformedPolicy", "Malformed Policy"),
            _ => ("AccessDenied", "Access denied"),
        };
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>\n"
        )
    }
}

/// Parameters that are no part of what is signed, and that origins do not get.
const OWN: [&str; 5] = ["Expires", "Policy", "Signature", "Key-Pair-Id", "Hash-Algorithm"];

/// Lets in a request whose URL is signed by one of `keys`; its query without what signed it.
pub(super) fn check(
    keys: &[PublicKey],
    host: &str,
    path: &str,
    query: Option<&str>,
    viewer: IpAddr,
    now: OffsetDateTime,
) -> Result<Option<String>, Unsigned> {
    let pairs = || query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let name = |pair: &str| pair.split('=').next().unwrap_or_default().to_owned();
    let parameter = |wanted: &str| {
        let value = pairs().find_map(|pair| pair.split_once('=').filter(|(name, _)| *name == wanted));
        value.map(|(_, value)| percent_decode_str(value).decode_utf8_lossy().into_owned())
    };
    let rest: Vec<_> = pairs().filter(|pair| !OWN.contains(&name(pair).as_str())).collect();
    let rest = Some(rest.join("&")).filter(|rest| !rest.is_empty());
    let id = parameter("Key-Pair-Id").ok_or(Unsigned::NoKey)?;
    let key = keys.iter().find(|key| key.id() == id).ok_or(Unsigned::UnknownKey)?;
    let signature = parameter("Signature").ok_or(Unsigned::Incomplete)?;
    let signature = unescaped(&signature).ok_or(Unsigned::Forged)?;
    let hash = match parameter("Hash-Algorithm").as_deref() {
        None | Some("SHA1") => Hash::Sha1,
        Some("SHA256") => Hash::Sha256,
        Some(_) => return Err(Unsigned::Forged),
    };
    // CloudFront is reached by TLS; this is not.
    let query = rest.as_ref().map_or_else(String::new, |rest| format!("?{rest}"));
    let urls = ["https", "http"].map(|scheme| format!("{scheme}://{host}{path}{query}"));
    if let Some(policy) = parameter("Policy") {
        let policy = unescaped(&policy).ok_or(Unsigned::Malformed)?;
        if !key.verifies(hash, &policy, &signature) {
            return Err(Unsigned::Forged);
        }
        allow(&policy, &urls, viewer, now)?;
    } else {
        let expires = parameter("Expires").ok_or(Unsigned::Incomplete)?;
        let canned = |url: &String| {
            format!(
                r#"{{"Statement":[{{"Resource":"{url}","Condition":{{"DateLessThan":{{"AWS:EpochTime":{expires}}}}}}}]}}"#
            )
        };
        if !urls.iter().any(|url| key.verifies(hash, canned(url).as_bytes(), &signature)) {
            return Err(Unsigned::Forged);
        }
        if expires.parse().map_or(true, |expires: i64| expires <= now.unix_timestamp()) {
            return Err(Unsigned::Expired);
        }
    }
    Ok(rest)
}

/// base64 with the characters that URLs take: `-_~` for `+=/`.
fn unescaped(text: &str) -> Option<Vec<u8>> {
    let standard = |character| match character {
        '-' => '+',
        '_' => '=',
        '~' => '/',
        other => other,
    };
    STANDARD.decode(text.chars().map(standard).collect::<String>()).ok()
}

/// Whether a policy of their own allows one of the URLs ("Create a signed URL using a custom policy").
fn allow(policy: &[u8], urls: &[String], viewer: IpAddr, now: OffsetDateTime) -> Result<(), Unsigned> {
    let policy: Value = serde_json::from_slice(policy).map_err(|_| Unsigned::Malformed)?;
    let statement = policy.pointer("/Statement/0").ok_or(Unsigned::Malformed)?;
    let resource = statement.get("Resource").and_then(Value::as_str).unwrap_or("*");
    if !urls.iter().any(|url| like(resource, url)) {
        return Err(Unsigned::NotAllowed);
    }
    let condition = statement.get("Condition").ok_or(Unsigned::Malformed)?;
    let time = |operator: &str| match condition.get(operator) {
        None => Ok(None),
        Some(at) => at.get("AWS:EpochTime").and_then(Value::as_i64).map(Some).ok_or(Unsigned::Malformed),
    };
    let until = time("DateLessThan")?.ok_or(Unsigned::Malformed)?;
    if now.unix_timestamp() >= until {
        return Err(Unsigned::Expired);
    }
    if time("DateGreaterThan")?.is_some_and(|from| now.unix_timestamp() <= from) {
        return Err(Unsigned::NotAllowed);
    }
    match condition.get("IpAddress").map(|address| address.get("AWS:SourceIp").and_then(Value::as_str)) {
        None => Ok(()),
        Some(Some(range)) if within(viewer, range) => Ok(()),
        Some(Some(_)) => Err(Unsigned::NotAllowed),
        Some(None) => Err(Unsigned::Malformed),
    }
}

/// IPv4 alone, as CloudFront has it.
fn within(address: IpAddr, range: &str) -> bool {
    let (network, bits) = range.split_once('/').unwrap_or((range, "32"));
    let (IpAddr::V4(address), Ok(IpAddr::V4(network)), Ok(bits)) = (address, network.parse(), bits.parse::<u32>())
    else {
        return false;
    };
    let mask = u32::MAX.checked_shl(32 - bits.min(32)).unwrap_or(0);
    u32::from(address) & mask == u32::from(network) & mask
}
