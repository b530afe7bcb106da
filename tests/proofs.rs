//! Proofs of who asks (`src/auth/proof`): AWS credentials, tokens of OpenID Connect issuers, API keys. STS and the
//! issuer are emulated in process, over real sockets, and the requests that reach them are asserted.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail

#[path = "proofs/aws.rs"]
mod aws;
#[path = "proofs/aws_attacks.rs"]
mod aws_attacks;
#[path = "proofs/aws_failures.rs"]
mod aws_failures;
#[path = "proofs/keys.rs"]
mod keys;
#[path = "proofs/oidc.rs"]
mod oidc;
#[path = "proofs/oidc_attacks.rs"]
mod oidc_attacks;
#[path = "proofs/sts.rs"]
mod sts;
#[path = "proofs/world.rs"]
mod world;
