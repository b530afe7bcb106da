//! All services as one stack.

use std::collections::BTreeMap;

use crate::front::{Front, Recorded, Rule};
use crate::host::Host;
use crate::{Denial, DynamoDbEmulator, Error, Identity, IdentityUse, OidcEmulator, Options, S3Emulator, StsEmulator};

/// S3, DynamoDB, STS and an OpenID Connect issuer side by side, with one log and one set of faults. They stop on drop.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), berth_local::Error> {
/// let emulators = berth_local::Emulators::start().await?;
/// for (name, value) in emulators.env() {
///     println!("{name}={value}");
/// }
/// assert!(emulators.requests().is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Emulators {
    s3: S3Emulator,
    dynamodb: DynamoDbEmulator,
    sts: StsEmulator,
    oidc: OidcEmulator,
    front: Front,
}

impl Emulators {
    /// Starts all on free ports of 127.0.0.1.
    ///
    /// # Errors
    /// [`Error`] when the operating system refuses a thread, a socket or a folder.
    pub async fn start() -> Result<Self, Error> {
        Self::start_with(Options::default()).await
    }

    /// Starts all as told.
    ///
    /// # Errors
    /// As [`Emulators::start`]; also when an address is taken.
    pub async fn start_with(options: Options) -> Result<Self, Error> {
        let host = Host::start().map_err(Error::Thread)?;
        let front = Front::new(&options);
        let s3 = S3Emulator::on(host.clone(), front.clone(), options.clone())?;
        let sts = StsEmulator::on(host.clone(), front.clone(), &options)?;
        let oidc = OidcEmulator::on(host.clone(), front.clone(), &options)?;
        let dynamodb = DynamoDbEmulator::on(host, front.clone(), options)?;
        Ok(Self { s3, dynamodb, sts, oidc, front })
    }

    /// The S3 endpoint.
    pub fn s3(&self) -> &S3Emulator {
        &self.s3
    }

    /// The DynamoDB endpoint.
    pub fn dynamodb(&self) -> &DynamoDbEmulator {
        &self.dynamodb
    }

    /// The STS endpoint. It knows the identities of [`Emulators::add_identity`] as roles of their names.
    pub fn sts(&self) -> &StsEmulator {
        &self.sts
    }

    /// The OpenID Connect issuer.
    pub fn oidc(&self) -> &OidcEmulator {
        &self.oidc
    }

    /// What they were started with: keys, region, names.
    pub fn options(&self) -> &Options {
        self.s3.options()
    }

    /// The environment in which an AWS SDK finds them ("AWS SDKs and Tools Reference Guide", settings reference). S3 needs
    /// path-style requests besides, for which there is no variable.
    pub fn env(&self) -> Vec<(&'static str, String)> {
        let options = self.options();
        self.env_with(&options.access_key, &options.secret_key)
    }

    /// [`Emulators::env`] for an identity that was added.
    pub fn env_of(&self, identity: &Identity) -> Vec<(&'static str, String)> {
        self.env_with(&identity.access_key, &identity.secret_key)
    }

    fn env_with(&self, access_key: &str, secret_key: &str) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL_S3", self.s3.endpoint()),
            ("AWS_ENDPOINT_URL_DYNAMODB", self.dynamodb.endpoint()),
            ("AWS_ENDPOINT_URL_STS", self.sts.endpoint()),
            ("AWS_ACCESS_KEY_ID", access_key.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", secret_key.to_owned()),
            ("AWS_REGION", self.options().region.clone()),
        ]
    }

    /// Makes an identity known to all, in place of the one that had its access key. From now on DynamoDB refuses unknown
    /// access keys too.
    pub fn add_identity(&self, identity: Identity) {
        self.front.identities.add(identity);
    }

    /// For each identity that has a policy how often each statement, action and resource of it was needed. Counts outlive
    /// [`Emulators::reset`].
    pub fn statements(&self) -> Vec<IdentityUse> {
        self.front.identities.usage()
    }

    /// What could be taken out of the policies without a request so far being denied: [`IdentityUse::unused`] of all.
    pub fn unused(&self) -> Vec<String> {
        self.statements().iter().flat_map(IdentityUse::unused).collect()
    }

    /// Every permission that was refused. They outlive [`Emulators::reset`].
    pub fn denied(&self) -> Vec<Denial> {
        self.front.identities.denials()
    }

    /// Forgets the counts of statements, and what was refused.
    pub fn reset_statements(&self) {
        self.front.identities.forget();
    }

    /// Every request to any since the start or the last reset, in the order of arrival.
    pub fn requests(&self) -> Vec<Recorded> {
        self.front.log.requests(None)
    }

    /// How often each operation was called (`s3:GetObject`, `dynamodb:GetItem`), without requests by presigned URL.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.front.log.counts(None)
    }

    /// Forgets the requests so far. Objects, items and faults stay.
    pub fn reset(&self) {
        self.front.log.reset();
    }

    /// Arms a fault, behind those that are armed already.
    pub fn inject(&self, rule: Rule) {
        self.front.faults.add(rule);
    }

    /// The faults that are armed, with what is left of their counts.
    pub fn faults(&self) -> Vec<Rule> {
        self.front.faults.armed()
    }

    /// Disarms every fault.
    pub fn clear_faults(&self) {
        self.front.faults.clear();
    }
}
