//! S3, DynamoDB, STS, an OpenID Connect issuer, Lambda and CloudFront on loopback sockets, inside the process that tests.
//!
//! [`Emulators`] starts all but Lambda on free ports in milliseconds. Any AWS client reaches them over HTTP with the endpoints and keys
//! of [`Emulators::env`]; every request is counted ([`Emulators::requests`]), and any can be made to fail
//! ([`Emulators::inject`]), and each of its senders can be held to an IAM policy ([`Emulators::add_identity`]).
//! [`lambda::Function`] runs the real `bootstrap` beside them, behind a front door, and [`edge::Edge`] is CloudFront before
//! both; [`Template`] says with what. The binaries
//! `emulators` and `lambda-local` are the same for other processes.
//!
//! Nothing here proves how AWS behaves: the rules come from its documentation, which each module names. [`ASSUMPTIONS`] lists
//! where that leaves a choice, and how sure each default is.

#![forbid(unsafe_code)]

mod admin;
mod assumptions;
mod cloudformation;
mod dynamodb;
pub mod edge;
mod emulators;
mod error;
mod front;
mod host;
mod iam;
pub mod lambda;
mod oidc;
mod options;
mod s3;
mod sts;
mod template;

pub use admin::Admin;
pub use assumptions::{ASSUMPTIONS, Assumption, AssumptionError, Assumptions, Evidence};
pub use cloudformation::{CustomResource, CustomResourceError, Made, custom_resource};
pub use dynamodb::DynamoDbEmulator;
pub use emulators::Emulators;
pub use error::Error;
pub use front::{Fault, Matcher, Recorded, Rule, Service};
pub use iam::{Denial, Effect, EntryUse, Identity, IdentityUse, Policy, PolicyError, StatementUse};
pub use oidc::{OidcEmulator, TokenAlgorithm};
pub use options::Options;
pub use s3::{Limits, S3Emulator, Stored};
pub use sts::{Asked, Signer, StsEmulator};
pub use template::{Function, Names, Template, TemplateError};
