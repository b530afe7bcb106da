//! `berth login` at a registry that `berth serve` serves, and AWS as it is emulated: from nothing to an image pushed and
//! pulled by what the credential helper makes.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use berth::digest::Digest;
use berth_local::{Emulators, Fault, Rule, Service, Signer};
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    desk::{Desk, SECRETS},
    support::{
        http::Http,
        process::{Served, free_address},
    },
};

/// alice, whose password is "wonderland".
pub(crate) const ALICE: &str = "alice:$2y$04$jiJtvhzNaht1A.DuAMxGqO28xA5iWb0VS8GmE39hV3S/FuchCr1L2";

const DEPLOYER: &str = "arn:aws:sts::123456789012:assumed-role/Deployer/session";

/// A registry on a folder, and AWS, which knows the credentials of a [`Desk`].
struct World {
    emulators: Emulators,
    folder: TempDir,
    host: String,
    _served: Served,
}

impl World {
    async fn start() -> Self {
        let emulators = Emulators::start().await.unwrap();
        emulators.sts().add(signer(SECRETS[0]));
        let (folder, host) = (tempfile::tempdir().unwrap(), free_address());
        let data = folder.path().join("data").display().to_string();
        let issuer = emulators.oidc().issuer();
        let yaml = format!(
            "
version: 0.1
storage: {{filesystem: {{rootdirectory: '{data}'}}}}
http: {{host: 'http://{host}'}}
auth:
  htpasswd: {{users: '{ALICE}'}}
  berth: {{oidc: '{issuer} {host}'}}
  rules: |
    allow role:123456789012/Deployer to pull, push on app
    allow user:alice to pull on app
    allow key:ci to pull on app
    allow oidc:{issuer} to pull on app
"
        );
        let variables = [
            ("AWS_ENDPOINT_URL_STS", emulators.sts().endpoint()),
            // As much as it can say, so that what it must not say would be there.
            ("RUST_LOG", "info,berth=trace".to_owned()),
        ];
        let served = Served::start_at(folder.path(), &yaml, &host, &variables);
        Self { emulators, folder, host, _served: served }
    }

    /// Pushes to `app` by the login that Docker's configuration of `desk` has, or its credential helper makes.
    async fn pushes(&self, login: &Login, note: &str) {
        let http = Http::new(&self.host).with_login(login.basic());
        let config = Bytes::from(format!("{{\"note\":\"{note}\"}}"));
        let digest = Digest::canonical(&config);
        let opened = http.post("/v2/app/blobs/uploads/").await;
        assert_eq!(opened.status, StatusCode::ACCEPTED, "{opened:?}");
        assert_eq!(http.put(&opened.closing(&digest), &[], config.clone()).await.status, StatusCode::CREATED);
        let kind = "application/vnd.oci.image.manifest.v1+json";
        let size = config.len();
        let manifest = Bytes::from(format!(
            r#"{{"schemaVersion":2,"mediaType":"{kind}","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{digest}","size":{size}}},"layers":[]}}"#
        ));
        let put = http.put("/v2/app/manifests/latest", &[("content-type", kind)], manifest.clone()).await;
        assert_eq!(put.status, StatusCode::CREATED, "{put:?}");
        self.pulls(login, &manifest).await;
    }

    async fn pulls(&self, login: &Login, manifest: &Bytes) {
        let http = Http::new(&self.host).with_login(login.basic());
        assert_eq!(http.get("/v2/app/manifests/latest").await.body, manifest);
        let elsewhere = http.get("/v2/other/manifests/latest").await;
        assert_eq!(elsewhere.status, StatusCode::FORBIDDEN, "{elsewhere:?}");
    }

    /// Asserts that the registry's log has a line of `status` for `/token`, and nothing secret.
    fn logged(&self, status: u16, secrets: &[&str]) {
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap();
        let is_asked = |line: &str| line.contains("path=\"/token\"") && line.contains(&format!("status={status}"));
        assert!(log.lines().any(is_asked), "{log}");
        for secret in secrets.iter().chain(&SECRETS).chain(&["wonderland", "eyJ", "X-Amz", "berth_key_"]) {
            assert!(!log.contains(secret), "{secret} is in {log}");
        }
    }

    fn keys(&self, desk: &Desk, arguments: &[&str]) -> String {
        let data = self.folder.path().join("data");
        desk.berth(&[&["keys"], arguments, &["--data", data.to_str().unwrap()]].concat(), "").done().to_owned()
    }
}

fn signer(secret: &str) -> Signer {
    Signer {
        access_key: "AKIDEXAMPLEEXAMPLE00".to_owned(),
        secret_key: secret.to_owned(),
        session_token: Some(SECRETS[1].to_owned()),
        arn: DEPLOYER.to_owned(),
    }
}

struct Login {
    name: String,
    password: String,
}

impl Login {
    /// As a client gets it that finds the helper in Docker's configuration.
    fn of_helper(desk: &Desk, host: &str) -> Self {
        let kept: Value = serde_json::from_str(&desk.kept()).unwrap();
        assert_eq!(kept["credHelpers"][host], "berth");
        let ended = desk.helper(&["get"], host);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let said: Value = serde_json::from_str(&ended.said).unwrap();
        let text = |key: &str| said[key].as_str().unwrap().to_owned();
        Self { name: text("Username"), password: text("Secret") }
    }

    /// As a client finds it in Docker's configuration.
    fn kept(desk: &Desk, host: &str) -> Self {
        let kept: Value = serde_json::from_str(&desk.kept()).unwrap();
        let pair = String::from_utf8(STANDARD.decode(kept["auths"][host]["auth"].as_str().unwrap()).unwrap()).unwrap();
        let (name, password) = pair.split_once(':').unwrap();
        Self { name: name.to_owned(), password: password.to_owned() }
    }

    fn basic(&self) -> String {
        format!("Basic {}", STANDARD.encode(format!("{}:{}", self.name, self.password)))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn aws_credentials_push_and_pull_by_the_helper_and_by_once() {
    let (world, desk) = (World::start().await, Desk::new());
    let host = &world.host;
    assert!(desk.berth(&["login", host], "").done().contains("as role:123456789012/Deployer"));
    let asked = world.emulators.sts().asked();
    let [asked] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(asked.registry.as_deref(), Some(&**host), "it is bound to this registry");
    assert_eq!(asked.host.as_deref(), Some("sts.eu-central-1.amazonaws.com"));
    let login = Login::of_helper(&desk, host);
    world.pushes(&login, "by the helper").await;

    assert!(desk.berth(&["logout", host], "").done().starts_with("logged out of"));
    assert_eq!(desk.kept(), "{}\n");

    desk.berth(&["login", "--once", host], "").done();
    let once = Login::kept(&desk, host);
    world.pushes(&once, "once").await;
    desk.berth(&["logout", host], "").done();
    assert_eq!(serde_json::from_str::<Value>(&desk.kept()).unwrap()["auths"], json!({}));
    world.logged(200, &[&login.password, &once.password]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_that_aws_does_not_take_are_no_login() {
    let (world, desk) = (World::start().await, Desk::new());
    let host = &world.host;
    let refused = |part: &str| {
        let ended = desk.berth(&["login", host], "");
        assert!(ended.refused(1).contains(part), "{part}: {ended:?}");
        assert!(!desk.docker().exists(), "nothing is changed");
    };
    world.emulators.sts().add(signer("another secret"));
    refused("AWS does not accept these credentials: SignatureDoesNotMatch");
    world.emulators.sts().remove("AKIDEXAMPLEEXAMPLE00");
    refused("AWS does not accept these credentials: InvalidClientTokenId");
    world.emulators.sts().add(signer(SECRETS[0]));
    let expired = Fault::Error { status: 403, code: "ExpiredToken".to_owned() };
    for (fault, part) in
        [(expired, "AWS does not accept these credentials: ExpiredToken"), (Fault::InternalError, "try again")]
    {
        world.emulators.inject(Rule::new(fault).service(Service::Sts).times(1));
        refused(part);
    }
    world.logged(401, &[]);
    world.logged(503, &[]);
    desk.berth(&["login", host], "").done();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passwords_api_keys_and_issuers_tokens_log_in_and_pull() {
    let (world, desk) = (World::start().await, Desk::without_credentials());
    let host = &world.host;
    world.pushes(&deployer(host), "the first").await;
    let manifest = Http::new(host).with_login(deployer(host).basic()).get("/v2/app/manifests/latest").await.body;

    let key = world.keys(&desk, &["create", "ci"]);
    let revoked = world.keys(&desk, &["create", "old"]);
    world.keys(&desk, &["revoke", "old"]);
    let token = world.emulators.oidc().mint(&json!({ "sub": "repo:acme/app", "aud": host })).unwrap();
    for (name, password) in [("alice", "wonderland"), ("x", &*key), ("x", &*token)] {
        let ended = desk.berth(&["login", host, "--username", name, "--password-stdin"], password);
        assert!(!ended.done().contains(password));
        let login = Login::kept(&desk, host);
        assert_eq!((&*login.name, &*login.password), (name, password));
        world.pulls(&login, &manifest).await;
        desk.berth(&["logout", host], "").done();
    }
    let elsewhere = world.emulators.oidc().mint(&json!({ "sub": "repo:acme/app", "aud": "elsewhere" })).unwrap();
    let kept = desk.kept();
    for (password, part) in [
        ("looking-glass", "user name or password is wrong"),
        (&*revoked, "unknown here, or was revoked"),
        (&key[..20], "not whole"),
        (&*elsewhere, "for another"),
    ] {
        let ended = desk.berth(&["login", host, "--username", "alice", "--password-stdin"], password);
        let complaint = ended.refused(1);
        assert!(complaint.contains(part) && !complaint.contains(password), "{complaint}");
        assert_eq!(desk.kept(), kept);
    }
    let secrets = [&key[10..], &revoked[10..], &*token, &*elsewhere, "looking-glass"];
    world.logged(401, &secrets);
}

/// Somebody who has the credentials that [`World`] knows.
fn deployer(host: &str) -> Login {
    let desk = Desk::new();
    desk.berth(&["login", host], "").done();
    Login::of_helper(&desk, host)
}
