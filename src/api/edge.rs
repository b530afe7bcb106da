//! What the registry and the edge in front of it say to each other.
//!
//! The edge sends the last PUT of a session to the bucket, if the session's URL bears a ticket, and then its client to the
//! commit: the same URL with the digest and [`COMMIT`]`=`[`BY_EDGE`], by GET.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::name::RepositoryName;

/// The header by which the edge shows that a request came through it.
pub const BERTH_ORIGIN: &str = "x-berth-origin";

/// The query's key of the ticket.
pub const TICKET: &str = "_edge";

/// How long a ticket is good for, in seconds. What has begun by then goes on.
pub const TICKET_LIFE: u64 = 3600;

/// The query's key that asks for the commit of what the edge stored.
pub const COMMIT: &str = "commit";

/// The value of [`COMMIT`].
pub const BY_EDGE: &str = "edge";

/// The query's key of how many bytes the edge was sent, in a commit. Who sent them may say another number there.
pub const SIZE: &str = "size";

/// Shows the edge, which shares `key`, that session `id` of repository `name` exists. Good until `expires`, in seconds
/// since 1970-01-01 (UTC).
pub fn ticket(key: &str, name: &RepositoryName, id: &str, expires: u64) -> String {
    let mac = keyed(key, format!("berth-edge-1\n{name}\n{id}\n{expires}").as_bytes());
    format!("{expires}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// Whether `given` is `secret`; how long it takes to tell says nothing of either.
pub fn is_secret(secret: &str, given: &[u8]) -> bool {
    keyed(secret, given).finalize() == keyed(secret, secret.as_bytes()).finalize()
}

fn keyed(key: &str, message: &[u8]) -> Hmac<Sha256> {
    #[allow(clippy::expect_used)] // HMAC takes keys of any length (RFC 2104, section 3)
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("any length is a key");
    mac.chain_update(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0193a1b2-c3d4-7e5f-8a6b-9c0d1e2f3a4b";

    /// Computed by OpenSSL: `printf 'berth-edge-1\nteam/app\n0193a1b2-c3d4-7e5f-8a6b-9c0d1e2f3a4b\n1800000000' |
    /// openssl dgst -sha256 -hmac 'a-key-of-the-edge' -binary | basenc --base64url`. The edge's own test has the same one.
    #[test]
    fn a_ticket_is_what_the_edge_computes() {
        let name = "team/app".parse().unwrap();
        let known = "1800000000.zRzydwREfDgN2idma9qvtUS4xLfsIRe6g3T-TwieinQ";
        assert_eq!(ticket("a-key-of-the-edge", &name, ID, 1_800_000_000), known);
    }

    #[test]
    fn a_ticket_is_for_one_session_and_one_time() {
        let (app, other) = ("team/app".parse().unwrap(), "team/other".parse().unwrap());
        let known = ticket("key", &app, ID, 1);
        assert_ne!(ticket("another", &app, ID, 1), known);
        assert_ne!(ticket("key", &other, ID, 1), known);
        assert_ne!(ticket("key", &app, &ID.replace('0', "1"), 1), known);
        let (_, mac) = known.split_once('.').unwrap();
        assert!(!ticket("key", &app, ID, 2).ends_with(mac));
    }

    #[test]
    fn a_secret_is_told_from_what_is_like_it() {
        assert!(is_secret("sesame", b"sesame"));
        for wrong in ["", "sesam", "sesame ", "Sesame", "sesame,sesame"] {
            assert!(!is_secret("sesame", wrong.as_bytes()), "{wrong}");
        }
    }
}
