//! What it costs to know who asks: getting tokens, taking them, and pulling by them. The registry is the real program, so
//! that it is told where STS is as it would be told elsewhere, and each of its processes knows nothing when it starts.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use berth::{
    auth::proof::{aws::sign, keys::create},
    config::Config,
    context::Context,
    storage::ApiKeys,
    wire::Adapters,
};
use berth_local::{Emulators, Signer};
use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    Meter, Push,
    image::Image,
    pull, push,
    support::{
        http::Http,
        process::{Served, free_address},
        registry::on_aws,
    },
};

/// alice, whose password is "wonderland".
const ALICE: &str = "alice:$2y$04$jiJtvhzNaht1A.DuAMxGqO28xA5iWb0VS8GmE39hV3S/FuchCr1L2";

/// A registry that takes every kind of proof, at an address of which each of its processes has its turn.
struct Deployment {
    meter: Meter,
    folder: TempDir,
    host: String,
    yaml: String,
}

impl Deployment {
    async fn new() -> Self {
        let meter = Meter { emulators: Emulators::start().await.unwrap() };
        let host = free_address();
        let auth = format!(
            "
http: {{host: 'http://{host}'}}
auth:
  htpasswd: {{users: '{ALICE}'}}
  berth: {{aws: true, keys: true, oidc: '{} {host}'}}
  rules: |
    allow user:alice to pull, push on **
    allow key:ci to pull on **
    allow account:123456789012 to pull, push on **
    allow oidc:{} to pull on **
",
            meter.emulators.oidc().issuer(),
            meter.emulators.oidc().issuer()
        );
        let yaml = on_aws(&meter.emulators, "") + &auth;
        meter.emulators.sts().add(Signer {
            access_key: "AKIAEXAMPLEEXAMPLE00".to_owned(),
            secret_key: "secret".to_owned(),
            session_token: None,
            arn: "arn:aws:sts::123456789012:assumed-role/Deployer/session".to_owned(),
        });
        Self { meter, folder: tempfile::tempdir().unwrap(), host, yaml }
    }

    /// A process that has just started.
    fn process(&self) -> Served {
        let variables = [("AWS_ENDPOINT_URL_STS", self.meter.emulators.sts().endpoint())];
        Served::start_at(self.folder.path(), &self.yaml, &self.host, &variables)
    }

    /// An Authorization that has never been seen.
    fn aws(&self, age: u64) -> String {
        use aws_credential_types::Credentials;
        let credentials = Credentials::new("AKIAEXAMPLEEXAMPLE00", "secret", None, None, "test");
        let at = std::time::SystemTime::now() - std::time::Duration::from_secs(age);
        basic("aws", &sign(&credentials, "us-east-1", &self.host, at).unwrap())
    }

    fn oidc(&self) -> String {
        let claims = json!({ "sub": "repo:acme/app", "aud": self.host });
        basic("oidc", &self.meter.emulators.oidc().mint(&claims).unwrap())
    }

    async fn key(&self) -> String {
        let config = Config::parse("test.yml", &self.yaml, []).unwrap();
        let keys = ApiKeys::new(Adapters::open(&config).await.unwrap().driver().clone());
        let now = std::time::SystemTime::now().into();
        basic("key", &create(&keys, &Context::background("test"), "ci", None, now).await.unwrap())
    }

    /// The token that `/token` gives for `login`.
    async fn token(&self, login: &str) -> String {
        let target = format!("/token?service={}&scope=repository:app:pull", self.host);
        let http = Http::new(&self.host);
        let answer = http.send(Method::GET, &target, &[("authorization", login)], Bytes::new()).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        serde_json::from_slice::<Value>(&answer.body).unwrap()["token"].as_str().unwrap().to_owned()
    }

    async fn ping(&self, token: &str) {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        let answer = Http::new(&self.host).send(Method::GET, "/v2/", &headers, Bytes::new()).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }
}

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_costs_no_request_when_warm_and_one_when_cold() {
    let deployment = Deployment::new().await;
    let (meter, alice) = (&deployment.meter, basic("alice", "wonderland"));
    let process = deployment.process();
    let token = deployment.token(&alice).await;
    meter.spent("the registry's first token: its key is made", 2, false);
    deployment.ping(&token).await;
    meter.spent("take a token, warm", 0, false);
    drop(process);

    let process = deployment.process();
    deployment.ping(&token).await;
    meter.spent("take a token, process just started", 1, false);
    for _ in 0..10 {
        deployment.ping(&token).await;
    }
    meter.spent("take ten more", 0, false);
    drop(process);

    let api_key = deployment.key().await;
    meter.emulators.reset();
    let issuer = deployment.oidc();
    for (proof, login, cold) in [
        ("a password", alice, 1),
        ("an AWS proof", deployment.aws(0), 2),
        ("an API key", api_key, 2),
        ("an issuer's token", issuer, 3),
    ] {
        let _process = deployment.process();
        deployment.token(&login).await;
        meter.spent(&format!("get a token by {proof}, process just started"), cold, false);
        deployment.token(&login).await;
        meter.spent(&format!("get a token by {proof}, warm"), 0, false);
    }
    let _process = deployment.process();
    deployment.token(&deployment.aws(1)).await;
    meter.emulators.reset();
    deployment.token(&deployment.aws(2)).await;
    meter.spent("get a token by another AWS proof, warm", 1, false);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pull_by_tokens_costs_what_a_pull_costs() {
    let deployment = Deployment::new().await;
    let image = Image::new(3);
    let process = deployment.process();
    push(&Http::new(&deployment.host).with_login(deployment.aws(0)), "app", &image, Push::Put).await;
    deployment.meter.emulators.reset();
    drop(process);

    for (proof, login, asks) in
        [("a password", basic("alice", "wonderland"), 1), ("an AWS proof", deployment.aws(1), 2)]
    {
        let _process = deployment.process();
        let http = Http::new(&deployment.host).with_login(login);
        pull(&http, "app", &image).await;
        // 4 for the pull, as for whoever needs no token, and what its token costs.
        deployment.meter.spent(&format!("token by {proof}, and pull, process just started"), 4 + asks, false);
        pull(&http, "app", &image).await;
        deployment.meter.spent(&format!("pull by a token that is had by {proof}, warm"), 1, false);
        let again = Http::new(&deployment.host).with_login(basic("alice", "wonderland"));
        pull(&again, "app", &image).await;
        deployment.meter.spent("token by a password, and pull, warm", 1, false);
    }
}
