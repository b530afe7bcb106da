//! Signed URLs of CloudFront ("Create a signed URL using a custom policy", Amazon CloudFront Developer Guide), by keys on
//! P-256 ("Create key pairs for your signers").

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::{
    error::Unspecified,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};

/// A private key that signs URLs. It is never shown.
pub struct UrlKey(EcdsaKeyPair);

/// A SubjectPublicKeyInfo up to the point itself (RFC 5480, section 2.1): id-ecPublicKey on secp256r1, and a BIT STRING.
const SPKI: [u8; 26] =
    *b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\0";

impl UrlKey {
    /// A new key, as [`Self::read`] takes it: PKCS#8 in base64.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn generate() -> Result<String, Unspecified> {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new())?;
        Ok(STANDARD.encode(document))
    }

    /// The key that `text` is: PKCS#8 in base64, with the lines that make it PEM or without. `None` when that is no key on
    /// P-256.
    pub fn read(text: &str) -> Option<Self> {
        let lines = text.lines().map(str::trim).filter(|line| !line.starts_with("-----"));
        let pkcs8 = STANDARD.decode(lines.collect::<String>()).ok()?;
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &pkcs8, &SystemRandom::new()).ok().map(Self)
    }

    /// The public key in PEM, as CloudFront takes it.
    pub fn public_pem(&self) -> String {
        let text = STANDARD.encode([&SPKI, self.0.public_key().as_ref()].concat());
        let (first, second) = text.split_at(64); // RFC 7468: 64 characters a line; these are 124
        format!("-----BEGIN PUBLIC KEY-----\n{first}\n{second}\n-----END PUBLIC KEY-----\n")
    }

    /// `url` with what allows anybody to GET and HEAD it until `expires`, in seconds since 1970-01-01 (UTC). CloudFront
    /// knows the key by `id`. The URL is absolute, has no query, and nothing in it is a wildcard, or it would allow more.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn sign(&self, id: &str, url: &str, expires: u64) -> Result<String, Unspecified> {
        let policy = format!(
            r#"{{"Statement":[{{"Resource":"{url}","Condition":{{"DateLessThan":{{"AWS:EpochTime":{expires}}}}}}}]}}"#
        );
        let signature = self.0.sign(&SystemRandom::new(), policy.as_bytes())?;
        let (policy, signature) = (in_query(policy.as_bytes()), in_query(signature.as_ref()));
        // Without the last CloudFront takes the hash for SHA-1.
        Ok(format!("{url}?Policy={policy}&Signature={signature}&Key-Pair-Id={id}&Hash-Algorithm=SHA256"))
    }
}

/// By the public key, which says all.
impl PartialEq for UrlKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.public_key().as_ref() == other.0.public_key().as_ref()
    }
}

impl Eq for UrlKey {}

impl fmt::Debug for UrlKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UrlKey(..)")
    }
}

/// Base64 with CloudFront's own replacements of what a query does not hold.
fn in_query(bytes: &[u8]) -> String {
    STANDARD.encode(bytes).replace('+', "-").replace('=', "_").replace('/', "~")
}

#[cfg(test)]
mod tests {
    use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};

    use super::*;

    /// Made by OpenSSL, and its public key as OpenSSL says it.
    const PRIVATE: &str = include_str!("../../tests/api/tokens/p256.key.pem");
    const PUBLIC: &str = "\
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEUmPVeU160dFSiZ9uR2CYsW1YEJgw
CyvgQjHVdaKUj0jpfPP2mBbnK+UHgwN0JVC6KYaQGaoKN8sSeaRdwZ1q6A==
-----END PUBLIC KEY-----
";

    #[test]
    fn keys_are_what_other_tools_take_and_give() {
        assert_eq!(UrlKey::read(PRIVATE).unwrap().public_pem(), PUBLIC);
        let bare: String = PRIVATE.lines().filter(|line| !line.starts_with('-')).collect();
        assert_eq!(UrlKey::read(&bare), UrlKey::read(PRIVATE));
        let generated = UrlKey::generate().unwrap();
        assert!(!generated.contains(char::is_whitespace), "one word, for a variable");
        let key = UrlKey::read(&generated).unwrap();
        assert_ne!(Some(&key), UrlKey::read(PRIVATE).as_ref());
        assert_eq!(format!("{key:?}"), "UrlKey(..)");
        for wrong in ["", "x", "AAAA", PUBLIC, &bare[4..]] {
            assert_eq!(UrlKey::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_signature_is_the_policys_in_cloudfronts_letters() {
        let key = UrlKey::read(PRIVATE).unwrap();
        // Often enough that every letter which is replaced turns up.
        for expires in 1_700_000_000..1_700_000_050 {
            let signed = key.sign("K2JCJMDEHXQW5F", "https://r.example.com/a/data", expires).unwrap();
            let (url, query) = signed.split_once('?').unwrap();
            assert_eq!(url, "https://r.example.com/a/data");
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_~=&".contains(c);
            assert!(query.chars().all(plain), "{query}");
            let pairs: Vec<_> = query.split('&').map(|pair| pair.split_once('=').unwrap()).collect();
            let [("Policy", policy), ("Signature", signature), rest @ ..] = pairs.as_slice() else {
                panic!("{query}");
            };
            assert_eq!(rest, [("Key-Pair-Id", "K2JCJMDEHXQW5F"), ("Hash-Algorithm", "SHA256")]);
            let read =
                |text: &str| STANDARD.decode(text.replace('-', "+").replace('_', "=").replace('~', "/")).unwrap();
            let policy = read(policy);
            let said = format!(
                r#"{{"Statement":[{{"Resource":"https://r.example.com/a/data","Condition":{{"DateLessThan":{{"AWS:EpochTime":{expires}}}}}}}]}}"#
            );
            assert_eq!(String::from_utf8(policy.clone()).unwrap(), said);
            let der: Vec<u8> = PUBLIC
                .lines()
                .filter(|line| !line.starts_with('-'))
                .flat_map(|line| STANDARD.decode(line).unwrap())
                .collect();
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &der[26..]).verify(&policy, &read(signature)).unwrap();
        }
    }
}
