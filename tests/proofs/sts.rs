//! Emulated AWS accounts: who signs, and the verifier that asks STS about it.

use aws_credential_types::Credentials;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use berth::auth::{
    Fetch,
    proof::aws::{AwsVerifier, Options, sign},
};
use berth_local::{Emulators, Signer};

use crate::world::{Hands, REGISTRY};

pub(crate) const ACCESS_KEY: &str = "ASIAEXAMPLEEXAMPLE00";
pub(crate) const ROLE: &str = "arn:aws:sts::123456789012:assumed-role/Deployer/session-42";

const SECRET: &str = "a/secret+key=of&nobody";
const TOKEN: &str = "a+session/token==";

/// STS that knows one role, and a verifier that asks it.
pub(crate) struct Sts {
    pub(crate) emulators: Emulators,
    pub(crate) hands: Hands,
    pub(crate) verifier: AwsVerifier,
}

impl Sts {
    pub(crate) async fn start() -> Self {
        let (emulators, hands) = (Emulators::start().await.unwrap(), Hands::default());
        let verifier = verifier(emulators.sts().endpoint(), &hands);
        emulators.sts().add(signer(ROLE));
        Self { emulators, hands, verifier }
    }

    /// A proof for [`REGISTRY`], good now.
    pub(crate) fn proof(&self) -> String {
        self.proof_for(REGISTRY)
    }

    pub(crate) fn proof_for(&self, registry: &str) -> String {
        sign(&credentials(), "eu-central-1", registry, self.hands.now()).unwrap()
    }

    /// How often STS was asked.
    pub(crate) fn asked(&self) -> usize {
        self.emulators.sts().asked().len()
    }
}

/// A verifier that connects to `endpoint`.
pub(crate) fn verifier(endpoint: String, hands: &Hands) -> AwsVerifier {
    let options = Options { endpoint: Some(endpoint), clock: hands.clock(), ..Options::default() };
    AwsVerifier::new(options, Fetch::default())
}

pub(crate) fn credentials() -> Credentials {
    Credentials::new(ACCESS_KEY, SECRET, Some(TOKEN.to_owned()), None, "test")
}

/// The one whose credentials are [`credentials`], by the name of `arn`.
pub(crate) fn signer(arn: &str) -> Signer {
    Signer {
        access_key: ACCESS_KEY.to_owned(),
        secret_key: SECRET.to_owned(),
        session_token: Some(TOKEN.to_owned()),
        arn: arn.to_owned(),
    }
}

/// The URL in a proof, and the registry's host behind `#`.
pub(crate) fn opened(proof: &str) -> String {
    let encoded = proof.strip_prefix("berth-aws-v1.").unwrap();
    String::from_utf8(URL_SAFE_NO_PAD.decode(encoded).unwrap()).unwrap()
}

/// The proof that holds `url`.
pub(crate) fn closed(url: impl AsRef<[u8]>) -> String {
    format!("berth-aws-v1.{}", URL_SAFE_NO_PAD.encode(url))
}
