//! The question that a proof holds, read and checked. What is sent to AWS is built anew from its checked parts
//! ([`Presigned::url`]), so that nobody can read it in two ways.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use time::{Duration, OffsetDateTime, PrimitiveDateTime, macros::format_description};

use super::{
    Partition, partition,
    query::{encode, pairs},
};

/// What every proof begins with.
pub(super) const PREFIX: &str = "berth-aws-v1.";

/// The longest proof, in bytes. Session tokens, the only long part, are 1 to 2 KiB.
pub(super) const LONGEST: usize = 8 << 10;

/// The longest life of a proof, in seconds: STS takes no signature that is older, whatever it says.
pub(super) const LONGEST_LIFE: u16 = 900;

/// How far the clock of who signs may be ahead of ours. STS allows as much.
const AHEAD: Duration = Duration::minutes(5);

/// The header that binds a question to the registry which is to ask it.
pub(super) const BIND: &str = "x-berth-registry";

/// A question who somebody is, signed by them (SigV4 in the query: "Authenticating Requests (AWS Signature Version 4)").
pub(super) struct Presigned {
    host: String,
    pub(super) partition: Partition,
    access_key: String,
    region: String,
    date: String,
    signed_at: OffsetDateTime,
    life: u16,
    token: Option<String>,
    signature: String,
    /// The registry that it is for.
    registry: String,
}

/// Why a proof is none. Shows nothing of it that is secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("the AWS proof is longer than {LONGEST} bytes")]
    Long,
    #[error("the AWS proof is no base64url without padding")]
    Encoding,
    #[error("the AWS proof is no https URL of AWS STS with a query and a registry's host behind #")]
    Url,
    #[error("the AWS proof's query must have {0} once, as docs/authentication.md says, and nothing else")]
    Parameter(&'static str),
    #[error("the AWS proof's query has a parameter that is not allowed")]
    Unknown,
    #[error("the AWS proof is signed for another region than its host's")]
    Region,
    #[error("the AWS proof is for another registry than {0}; log in to this one")]
    Registry(String),
    #[error("the AWS proof is of another partition than this registry's account ({})", .0.name())]
    Partition(Partition),
    #[error("the AWS proof has expired; make a new one (berth login), and see that the clock is right")]
    Expired,
    #[error("the AWS proof is signed in the future; see that the clock is right")]
    Future,
}

impl Presigned {
    /// Reads `proof`, which begins with [`PREFIX`].
    pub(super) fn parse(proof: &str) -> Result<Self, Fault> {
        if proof.len() > LONGEST {
            return Err(Fault::Long);
        }
        let encoded = proof.strip_prefix(PREFIX).ok_or(Fault::Encoding)?;
        let text = URL_SAFE_NO_PAD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        Self::parse_url(&text.filter(|text| text.is_ascii()).ok_or(Fault::Encoding)?)
    }

    fn parse_url(url: &str) -> Result<Self, Fault> {
        // Whatever an authority may hold besides a host (port, user) makes it none of those that are known.
        let (host, rest) = url.strip_prefix("https://").and_then(|rest| rest.split_once("/?")).ok_or(Fault::Url)?;
        let (partition, region) = partition::of_host(host).ok_or(Fault::Url)?;
        let (query, registry) = rest.split_once('#').filter(|(_, host)| is_registry(host)).ok_or(Fault::Url)?;

        let mut query = pairs(query).ok_or(Fault::Unknown)?;
        let mut take = |name: &'static str| query.take(name).ok_or(Fault::Parameter(name));
        let mut fixed = |name, value: &str| {
            take(name).and_then(|is| if is == value { Ok(()) } else { Err(Fault::Parameter(name)) })
        };
        fixed("Action", "GetCallerIdentity")?;
        fixed("Version", "2011-06-15")?;
        fixed("X-Amz-Algorithm", "AWS4-HMAC-SHA256")?;
        fixed("X-Amz-SignedHeaders", "host;x-berth-registry")?;
        let date = take("X-Amz-Date")?;
        let signed_at = read_date(&date).ok_or(Fault::Parameter("X-Amz-Date"))?;
        let life = take("X-Amz-Expires").map(|text| read_life(&text))?.ok_or(Fault::Parameter("X-Amz-Expires"))?;
        let signature = take("X-Amz-Signature")?;
        let is_hex = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
        if signature.len() != 64 || !signature.bytes().all(is_hex) {
            return Err(Fault::Parameter("X-Amz-Signature"));
        }
        let credential = take("X-Amz-Credential")?;
        let [access_key, day, signed_region, "sts", "aws4_request"] = credential.split('/').collect::<Vec<_>>()[..]
        else {
            return Err(Fault::Parameter("X-Amz-Credential"));
        };
        let is_key =
            (16..=128).contains(&access_key.len()) && access_key.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !is_key || day != &date[..8] {
            return Err(Fault::Parameter("X-Amz-Credential"));
        }
        if signed_region != region {
            return Err(Fault::Region);
        }
        let token = query.take("X-Amz-Security-Token");
        let is_token =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_' | b'.');
        if token.as_ref().is_some_and(|token| token.is_empty() || !token.bytes().all(is_token)) {
            return Err(Fault::Parameter("X-Amz-Security-Token"));
        }
        if !query.is_empty() {
            return Err(Fault::Unknown);
        }
        Ok(Self {
            host: host.to_owned(),
            partition,
            access_key: access_key.to_owned(),
            region: region.to_owned(),
            date,
            signed_at,
            life,
            token,
            signature,
            registry: registry.to_owned(),
        })
    }

    /// Whether `registry`, in an account of `partition`, may ask it `now`.
    pub(super) fn check(&self, registry: &str, partition: Partition, now: OffsetDateTime) -> Result<(), Fault> {
        if self.registry != registry {
            return Err(Fault::Registry(registry.to_owned()));
        }
        if self.partition != partition {
            return Err(Fault::Partition(partition));
        }
        if self.signed_at > now + AHEAD {
            return Err(Fault::Future);
        }
        if self.expires() <= now {
            return Err(Fault::Expired);
        }
        Ok(())
    }

    /// When its life ends.
    pub(super) fn expires(&self) -> OffsetDateTime {
        self.signed_at + Duration::seconds(i64::from(self.life))
    }

    /// The STS that is to answer it.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// The URL that asks it of `base` (`https://` and a host).
    pub(super) fn url(&self, base: &str) -> String {
        let Self { access_key, region, date, life, signature, .. } = self;
        let day = &date[..8];
        let token =
            self.token.as_deref().map_or_else(String::new, |token| format!("&X-Amz-Security-Token={}", encode(token)));
        format!(
            "{base}/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256\
             &X-Amz-Credential={access_key}%2F{day}%2F{region}%2Fsts%2Faws4_request&X-Amz-Date={date}\
             &X-Amz-Expires={life}{token}&X-Amz-SignedHeaders=host%3Bx-berth-registry&X-Amz-Signature={signature}"
        )
    }
}

/// A registry's host as proofs have it: in lower case, and without the port that https has anyway.
pub(super) fn registry_host(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    host.strip_suffix(":443").map(str::to_owned).unwrap_or(host)
}

/// Whether `host` is one as [`registry_host`] writes it.
pub(super) fn is_registry(host: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_:[]".contains(&byte);
    (1..=255).contains(&host.len()) && host.bytes().all(is_part) && !host.ends_with(":443")
}

fn read_date(text: &str) -> Option<OffsetDateTime> {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    // The format takes a sign before the year.
    let is_plain = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'T' | b'Z'));
    PrimitiveDateTime::parse(text, format).ok().filter(|_| is_plain).map(PrimitiveDateTime::assume_utc)
}

fn read_life(text: &str) -> Option<u16> {
    let life = text.parse().ok().filter(|life| (1..=LONGEST_LIFE).contains(life))?;
    // No sign, no zeros in front: there is one way to write it.
    (life.to_string() == text).then_some(life)
}
