//! A registry that takes every kind of proof, and everything that it asks about them.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use aws_credential_types::Credentials;
use berth::{
    auth::{
        Fetch, Rules,
        proof::{
            Verifier,
            aws::{AwsVerifier, Options as AwsOptions, sign},
            keys::{KeyVerifier, create},
            oidc::{OidcVerifier, Trusted},
        },
        token::{Bearer, SigningKeys, TokenService},
    },
    context::{Clock, Context},
    driver::memory::MemoryDriver,
    http::Options,
    storage::{ApiKeys, StoredKeys},
};
use berth_local::{Emulators, Signer};
use serde_json::{Value, json};

use crate::{
    auth::{basic, users},
    doctored::Doctored,
    registry::{Registry, Setup},
};

/// Access keys of AWS, and whose they are.
pub(super) const DEPLOYER: &str = "ASIAEXAMPLEDEPLOYER0";
pub(super) const ANNA: &str = "AKIAEXAMPLEANNA00000";
pub(super) const ROOT: &str = "AKIAEXAMPLEROOT00000";
pub(super) const STRANGER: &str = "AKIAEXAMPLESTRANGER0";

const ARNS: [(&str, &str); 4] = [
    (DEPLOYER, "arn:aws:sts::123456789012:assumed-role/ci-deploy/session"),
    (ANNA, "arn:aws:iam::123456789012:user/anna"),
    (ROOT, "arn:aws:iam::123456789012:root"),
    (STRANGER, "arn:aws:iam::999999999999:user/anna"),
];

pub(super) struct World {
    pub(super) emulators: Emulators,
    pub(super) api_keys: Arc<Doctored>,
    pub(super) signing_keys: Arc<Doctored>,
}

/// How a process is set up.
pub(super) struct Process {
    pub(super) sts: String,
    pub(super) issuer: String,
    pub(super) rules: Arc<Rules>,
    pub(super) http: Options,
    /// How far its clock, by which tokens are signed, is behind.
    pub(super) behind: Duration,
}

impl World {
    pub(super) async fn new() -> Self {
        let emulators = Emulators::start().await.unwrap();
        for (access_key, arn) in ARNS {
            let (access_key, arn) = (access_key.to_owned(), arn.to_owned());
            emulators.sts().add(Signer { access_key, secret_key: "secret".to_owned(), session_token: None, arn });
        }
        let doctored = || Arc::new(Doctored::new(MemoryDriver::new()));
        Self { emulators, api_keys: doctored(), signing_keys: doctored() }
    }

    /// A process that finds what it asks, and knows nothing yet.
    pub(super) fn process(&self, rules: &str) -> Process {
        Process {
            sts: self.emulators.sts().endpoint(),
            issuer: self.emulators.oidc().issuer(),
            rules: Arc::new(rules.parse().unwrap()),
            http: Options { access_log: false, ..Options::default() },
            behind: Duration::ZERO,
        }
    }

    pub(super) async fn start(&self, process: Process) -> Registry {
        let Process { sts, issuer, rules, http, behind } = process;
        let clock = Clock::default();
        let late = Clock::new(move || Clock::default().now() - behind);
        let keys = Arc::new(SigningKeys::new(Arc::new(StoredKeys::signing(self.signing_keys.clone())), late));
        let fetch = Fetch::default();
        let trusted = Trusted { issuer, audience: "the registry".to_owned(), insecure: true };
        let aws = AwsOptions { endpoint: Some(sts), clock: clock.clone(), ..AwsOptions::default() };
        let verifiers: Vec<Arc<dyn Verifier>> = vec![
            Arc::new(AwsVerifier::new(aws, fetch.clone())),
            Arc::new(OidcVerifier::new(vec![trusted], &fetch, clock.clone()).unwrap()),
            Arc::new(KeyVerifier::new(Arc::new(ApiKeys::new(self.api_keys.clone())), clock)),
            Arc::new(users()),
        ];
        let tokens = Arc::new(TokenService::new(keys.clone(), Some(rules.clone()), verifiers));
        Setup { access: Arc::new(Bearer::new(keys, Some(rules))), tokens: Some(tokens), http, ..Setup::default() }
            .start()
            .await
    }

    /// The login of whoever has this access key, for `registry`.
    pub(super) fn aws(&self, access_key: &str, registry: &Registry) -> String {
        let credentials = Credentials::new(access_key, "secret", None, None, "test");
        basic("aws", &sign(&credentials, "us-east-1", &registry.addr.to_string(), SystemTime::now()).unwrap())
    }

    /// That of a job of which the issuer says `claims`.
    pub(super) fn oidc(&self, claims: &Value) -> String {
        let mut all = json!({ "sub": "job", "aud": "the registry" });
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        basic("oidc", &self.emulators.oidc().mint(&all).unwrap())
    }

    /// That of whoever has a new API key of this name.
    pub(super) async fn key(&self, name: &str) -> String {
        let (store, now) = (ApiKeys::new(self.api_keys.clone()), SystemTime::now().into());
        basic("key", &create(&store, &Context::background("test"), name, None, now).await.unwrap())
    }
}
