//! The keys of certificates that are trusted by themselves, as distribution's `rootcertbundle` lists them.

use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use sha2::{Digest as _, Sha256};
use webpki::anchor_from_trusted_cert;

use super::super::jws::{PublicKey, PublicKeys};

/// A bundle that has no certificates, or others.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// It is not PEM.
    #[error("not certificates in PEM: {0}")]
    Pem(#[from] rustls_pki_types::pem::Error),
    /// One is no certificate: which, from 1.
    #[error("certificate {0} cannot be read: {1}")]
    Certificate(usize, webpki::Error),
    /// One has a key that is not used here: which, from 1.
    #[error("certificate {0} has a key for another algorithm than ES256, RS256 and EdDSA")]
    Key(usize),
    /// There is none.
    #[error("there is no certificate in it")]
    None,
}

/// The keys of the certificates in `pem`, by both names that token services give them: the thumbprint (RFC 7638), as
/// distribution 3 has it, and libtrust's, as those before it had.
///
/// # Errors
/// [`CertificateError`].
pub fn keys_of_certificates(pem: &[u8]) -> Result<PublicKeys, CertificateError> {
    let mut keys = PublicKeys::default();
    for (index, certificate) in CertificateDer::pem_slice_iter(pem).enumerate() {
        let certificate = certificate?;
        let anchor =
            anchor_from_trusted_cert(&certificate).map_err(|error| CertificateError::Certificate(index + 1, error))?;
        let spki = anchor.subject_public_key_info.as_ref();
        let key = public_key(spki).ok_or(CertificateError::Key(index + 1))?;
        keys.insert(libtrust(spki), key.clone());
        keys.insert(key.thumbprint(), key);
    }
    if keys.is_empty() { Err(CertificateError::None) } else { Ok(keys) }
}

/// The content of a SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7) up to the key itself: algorithm, and the BIT
/// STRING's tag.
const P256: &[u8] = b"\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
const ED25519: &[u8] = b"\x30\x05\x06\x03\x2b\x65\x70";
const RSA: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";

fn public_key(spki: &[u8]) -> Option<PublicKey> {
    let key = |algorithm| match element(0x03, spki.strip_prefix(algorithm)?)? {
        // No bits are left over in a string of whole bytes.
        ([0, key @ ..], []) => Some(key),
        _ => None,
    };
    if let Some(point) = key(P256) {
        return Some(PublicKey::Es256(point.try_into().ok()?));
    }
    if let Some(point) = key(ED25519) {
        return Some(PublicKey::EdDsa(point.try_into().ok()?));
    }
    let (numbers, _) = element(0x30, key(RSA)?)?;
    let (n, rest) = element(0x02, numbers)?;
    let (e, _) = element(0x02, rest)?;
    Some(PublicKey::rsa(n, e))
}

/// The content of the DER element that `der` begins with, if its tag is `tag`, and what follows it.
fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = match der {
        [first, length @ 0..=0x7f, rest @ ..] if *first == tag => (usize::from(*length), rest),
        [first, 0x81, length, rest @ ..] if *first == tag => (usize::from(*length), rest),
        [first, 0x82, high, low, rest @ ..] if *first == tag => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// Libtrust's name of a key: the first 240 bits of the SHA-256 of its SubjectPublicKeyInfo, in base32, with a colon
/// after every four characters.
fn libtrust(spki: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut der = vec![0x30];
    match u16::try_from(spki.len()).unwrap_or(u16::MAX).to_be_bytes() {
        [0, low @ 0..=0x7f] => der.push(low),
        [0, low] => der.extend([0x81, low]),
        [high, low] => der.extend([0x82, high, low]),
    }
    der.extend_from_slice(spki);
    let hash = Sha256::digest(&der);
    let groups = hash[..30].chunks(5).flat_map(|five| {
        let bits = five.iter().fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
        let letters: Vec<char> =
            (0..8).rev().map(|at| char::from(ALPHABET[(bits >> (5 * at)) as usize & 31])).collect();
        [letters[..4].iter().collect::<String>(), letters[4..].iter().collect()]
    });
    groups.collect::<Vec<_>>().join(":")
}
