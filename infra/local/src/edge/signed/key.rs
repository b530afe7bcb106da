//! Public keys, as CloudFormation is given them: PEM of a SubjectPublicKeyInfo (RFC 5280).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{self, UnparsedPublicKey};

/// A key of a trusted key group, by the id that `Key-Pair-Id` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    id: String,
    kind: Kind,
    /// As ring takes it: a point, or an RSAPublicKey.
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    P256,
    Rsa,
}

/// What a policy was hashed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha1,
    Sha256,
}

/// A key that CloudFront does not take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the public key {0} is not PEM of an RSA key or of one of P-256")]
pub struct KeyError(String);

/// `id-ecPublicKey` of `prime256v1`, and `rsaEncryption`.
const P256: &[u8] =
    &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const RSA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;

impl PublicKey {
    /// Reads PEM.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn parse(id: impl Into<String>, pem: &str) -> Result<Self, KeyError> {
        let id = id.into();
        match Self::read(pem) {
            Some((kind, bytes)) => Ok(Self { id, kind, bytes }),
            None => Err(KeyError(id)),
        }
    }

    fn read(pem: &str) -> Option<(Kind, Vec<u8>)> {
        let inside = pem.split_once("-----BEGIN PUBLIC KEY-----")?.1.split_once("-----END PUBLIC KEY-----")?.0;
        let der = STANDARD.decode(inside.split_whitespace().collect::<String>()).ok()?;
        let (info, _) = element(SEQUENCE, &der)?;
        let (algorithm, rest) = element(SEQUENCE, info)?;
        let (key, _) = element(BIT_STRING, rest)?;
        // The first byte says how many bits of the last are none.
        let key = key.strip_prefix(&[0])?.to_vec();
        match algorithm {
            P256 => Some((Kind::P256, key)),
            RSA => Some((Kind::Rsa, key)),
            _ => None,
        }
    }

    /// The id that URLs name it by.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether `signature` is this key's of `message`. ECDSA over SHA-1, which CloudFront takes too, is not verified here.
    pub(super) fn verifies(&self, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
        let algorithm: &'static dyn signature::VerificationAlgorithm = match (self.kind, hash) {
            (Kind::P256, Hash::Sha256) => &signature::ECDSA_P256_SHA256_ASN1,
            (Kind::P256, Hash::Sha1) => return false,
            (Kind::Rsa, Hash::Sha256) => &signature::RSA_PKCS1_2048_8192_SHA256,
            (Kind::Rsa, Hash::Sha1) => &signature::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
        };
        UnparsedPublicKey::new(algorithm, &self.bytes).verify(message, signature).is_ok()
    }
}

/// The content of a DER element of this tag, and what follows it.
fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (first, rest) = der.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (length, rest) = match usize::from(*length) {
        short @ 0..0x80 => (short, rest),
        long => {
            let (bytes, rest) = rest.split_at_checked(long - 0x80)?;
            (bytes.iter().try_fold(0usize, |sum, byte| sum.checked_mul(256)?.checked_add(usize::from(*byte)))?, rest)
        }
    };
    (*first == tag).then(|| rest.split_at_checked(length)).flatten()
}
