//! The custom resource: what CloudFormation sends, and what it is answered, by the real `bootstrap` over S3.

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use berth::{config::Config, context::Context, wire::Adapters};
use berth_local::{
    Fault, Rule,
    lambda::{Function, FunctionBuilder},
};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, UnparsedPublicKey},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

use crate::{stack::Shared, support::registry::on_aws};

/// The id of the stack, by which its folder is named.
const ID: &str = "5b7c1c30-51a2-11ef-8b2f-0a1b2c3d4e5f";

/// The ARN of a stack of that id.
pub(crate) fn stack(id: &str) -> String {
    format!("arn:aws-cn:cloudformation:eu-central-1:123456789012:stack/berth/{id}")
}

/// What takes the place of the presigned URL at S3.
struct Listener {
    url: String,
    told: mpsc::UnboundedReceiver<Told>,
}

/// What came by one PUT.
struct Told {
    headers: BTreeMap<String, String>,
    body: Value,
}

impl Listener {
    /// One that answers the first requests with `statuses`, and others with 200.
    async fn start(statuses: &'static [u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/answers/arn%3Aaws%3A1?X-Amz-Signature=a%2Fb", listener.local_addr().unwrap());
        let (tell, told) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut statuses = statuses.iter().copied().chain(std::iter::repeat(200));
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(Self::take(stream, statuses.next().unwrap(), tell.clone()));
            }
        });
        Self { url, told }
    }

    async fn take(stream: TcpStream, status: u16, tell: mpsc::UnboundedSender<Told>) {
        let mut stream = BufReader::new(stream);
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap() == 0 {
                return;
            }
            if line == "\r\n" {
                break;
            }
            head.push(line.trim_end().to_owned());
        }
        assert_eq!(head[0], "PUT /answers/arn%3Aaws%3A1?X-Amz-Signature=a%2Fb HTTP/1.1");
        let pairs = head[1..].iter().filter_map(|line| line.split_once(": "));
        let headers: BTreeMap<_, _> =
            pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        let mut body = vec![0; headers["content-length"].parse().unwrap()];
        stream.read_exact(&mut body).await.unwrap();
        let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        // Heard by whoever asserts before the function knows that it was taken.
        if status == 200 {
            assert!(body.len() <= 4096, "{}", body.len());
            let _ = tell.send(Told { headers, body: serde_json::from_slice(&body).unwrap() });
        }
        stream.get_mut().write_all(answer.as_bytes()).await.unwrap();
    }

    async fn answer(&mut self) -> Told {
        tokio::time::timeout(Duration::from_secs(60), self.told.recv()).await.expect("an answer").unwrap()
    }
}

/// The function, and where CloudFormation listens.
pub(crate) struct Resource {
    pub(crate) emulators: Shared,
    pub(crate) function: Function,
    /// The id of its stack.
    pub(crate) stack: &'static str,
    cloudformation: Listener,
}

impl Resource {
    pub(crate) async fn start(emulators: Shared, setup: impl FnOnce(FunctionBuilder) -> FunctionBuilder) -> Self {
        let function = Function::builder(env!("CARGO_BIN_EXE_bootstrap"))
            .handler("edge-secrets")
            .timeout(Duration::from_secs(30))
            .envs(emulators.env())
            .env("REGISTRY_STORAGE_S3_BUCKET", emulators.options().bucket.clone())
            .env("REGISTRY_STORAGE_S3_ROOTDIRECTORY", "/some/where")
            .env("REGISTRY_STORAGE_S3_FORCEPATHSTYLE", "true");
        let function = setup(function).start().await.unwrap();
        Self { emulators, function, stack: ID, cloudformation: Listener::start(&[]).await }
    }

    /// The properties of `version`, as the template has them.
    pub(crate) fn properties(&self, version: &str) -> Value {
        let bucket = &self.emulators.options().bucket;
        json!({ "ServiceToken": "arn:..", "Version": version, "Bucket": bucket, "RootDirectory": "some/where/" })
    }

    /// An event of a resource whose properties are `properties`.
    pub(crate) fn event(&self, kind: &str, properties: &Value) -> Value {
        json!({
            "RequestType": kind,
            "ResponseURL": self.cloudformation.url,
            "StackId": stack(self.stack),
            "RequestId": "afd8d7c5",
            "LogicalResourceId": "EdgeSecrets",
            "ResourceType": "Custom::EdgeSecrets",
            "ResourceProperties": properties,
        })
    }

    /// What CloudFormation is told when it sends `event`.
    pub(crate) async fn told(&mut self, event: &Value) -> Value {
        let function = self.function.clone();
        let event = event.to_string();
        let (done, told) = tokio::join!(function.invoke(event), self.cloudformation.answer());
        assert_eq!(done.unwrap(), "{}", "nothing is left to be read of an asynchronous invocation");
        assert_eq!(told.headers.get("content-type").map_or("", String::as_str), "");
        assert!(!told.headers.contains_key("transfer-encoding"));
        assert_eq!(told.body["StackId"], stack(self.stack));
        assert_eq!(
            (&told.body["RequestId"], &told.body["LogicalResourceId"]),
            (&json!("afd8d7c5"), &json!("EdgeSecrets"))
        );
        assert_eq!(told.body["PhysicalResourceId"], "berth-edge");
        told.body
    }

    /// The data of the answer to a success.
    pub(crate) async fn data(&mut self, kind: &str, version: &str) -> Data {
        self.data_of(kind, self.properties(version)).await
    }

    pub(crate) async fn data_of(&mut self, kind: &str, properties: Value) -> Data {
        let answer = self.told(&self.event(kind, &properties)).await;
        assert_eq!(answer["Status"], "SUCCESS", "{answer}");
        assert_eq!(answer["NoEcho"], true);
        Data(answer["Data"].clone())
    }

    /// Why it is said to have failed.
    pub(crate) async fn failure(&mut self, event: &Value) -> String {
        let answer = self.told(event).await;
        assert_eq!(answer["Status"], "FAILED", "{answer}");
        assert!(answer.get("Data").is_none());
        answer["Reason"].as_str().unwrap().to_owned()
    }

    /// The names of the files of the stack.
    pub(crate) fn files(&self) -> Vec<String> {
        let folder = format!("some/where/berth/edge/{}/", self.stack);
        let objects = self.emulators.s3().objects().into_keys();
        objects.filter_map(|key| Some(key.strip_prefix(&folder)?.to_owned())).collect()
    }

    /// What CloudFront imports: the value of its one entry.
    pub(crate) async fn imported(&self, version: &str) -> String {
        let config = Config::parse("test.yml", &on_aws(&self.emulators, ""), []).unwrap();
        let adapters = Adapters::open(&config).await.unwrap();
        let path = format!("/some/where/berth/edge/{}/keys-{version}.json", self.stack).parse().unwrap();
        let file = adapters.driver().get(&Context::background("test"), &path, 1024).await.unwrap();
        let file: Value = serde_json::from_slice(&file).unwrap();
        let value = file["data"][0]["value"].as_str().unwrap().to_owned();
        assert_eq!(file, json!({ "data": [{ "key": "upload-keys", "value": value }] }));
        value
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Data(Value);

impl Data {
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap_or_else(|| panic!("{name}"))
    }

    /// The secrets of `name`, in order.
    pub(crate) fn secrets(&self, name: &str) -> Vec<String> {
        let secrets: Vec<_> = self.text(name).split(',').map(str::to_owned).collect();
        for secret in &secrets {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
            assert!(secret.len() >= 43 && secret.chars().all(is_plain), "{secret}");
        }
        secrets
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_has_its_secrets_and_those_before_it_stay_good_for_one_more() {
    let mut resource = Resource::start(Shared::start().await, |function| function).await;
    let first = resource.data("Create", "1").await;
    let ([origin], [upload]) = (&*first.secrets("OriginSecrets"), &*first.secrets("UploadKeys")) else { panic!() };
    assert_ne!(origin, upload);
    assert_eq!(first.text("OriginSecret"), origin);
    let bucket = resource.emulators.options().bucket.clone();
    assert_eq!(first.text("KeysArn"), format!("arn:aws-cn:s3:::{bucket}/some/where/berth/edge/{ID}/keys-1.json"));
    assert_eq!(&resource.imported("1").await, upload);

    assert_eq!(resource.data("Update", "1").await, first, "the same version is the same");
    assert_eq!(resource.data("Create", "1").await, first);

    // What CloudFront sends is the newest at once, and what the registry signs with is what CloudFront knows already.
    let second = resource.data("Update", "2.b_C-d").await;
    let [newest, older] = &*second.secrets("OriginSecrets") else { panic!() };
    assert!(older == origin && newest != origin && newest == second.text("OriginSecret"));
    let [signs, new_key] = &*second.secrets("UploadKeys") else { panic!() };
    assert!(signs == upload && new_key != upload);
    assert_eq!(resource.imported("2.b_C-d").await, second.text("UploadKeys"));
    assert_eq!(resource.imported("1").await, *upload, "whoever goes back finds what was");
    assert_eq!(resource.data("Update", "2.b_C-d").await, second);
    let third = resource.data("Update", "3").await;
    assert_eq!(third.secrets("OriginSecrets")[1], second.text("OriginSecret"));
    assert_eq!(third.secrets("UploadKeys")[0], *new_key);
    assert_eq!(
        resource.files(),
        [
            "download-key.json",
            "keys-2.b_C-d.json",
            "keys-3.json",
            "secrets-2.b_C-d.json",
            "secrets-3.json",
            "secrets.json"
        ]
    );

    // A deployment that is taken back: what CloudFront may have come to send meanwhile is still taken, and what signs is known
    // to the store of the third version and to that of the second.
    let back = resource.data("Update", "2.b_C-d").await;
    assert_eq!(back.text("OriginSecret"), second.text("OriginSecret"));
    assert_eq!(back.secrets("OriginSecrets")[1], third.text("OriginSecret"));
    assert_eq!(back.secrets("UploadKeys"), third.secrets("UploadKeys"));
    assert!(second.secrets("UploadKeys").contains(&back.secrets("UploadKeys")[0]));
    assert_eq!(resource.imported("2.b_C-d").await, back.text("UploadKeys"));

    for _ in 0..2 {
        let gone = resource.told(&resource.event("Delete", &json!({ "Version": "2.b_C-d" }))).await;
        assert_eq!(gone["Status"], "SUCCESS");
        assert_eq!(resource.files(), [""; 0]);
    }
    assert_ne!(resource.data("Create", "1").await.text("OriginSecret"), origin);
}

/// CloudFront lets nobody change a public key that it knows: it ignores another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_download_key_is_made_once_for_the_life_of_a_stack() {
    let mut resource = Resource::start(Shared::start().await, |function| function).await;
    let first = resource.data("Create", "1").await;
    let pkcs8 = STANDARD.decode(first.text("PrivateKey")).unwrap();
    let random = SystemRandom::new();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &pkcs8, &random).unwrap();
    let pem: Vec<_> = first.text("PublicKey").split('\n').collect();
    let ["-----BEGIN PUBLIC KEY-----", one, other, "-----END PUBLIC KEY-----", ""] = &*pem else { panic!("{pem:?}") };
    let spki = STANDARD.decode([*one, *other].concat()).unwrap();
    let signature = pair.sign(&random, b"x").unwrap();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &spki[26..]).verify(b"x", signature.as_ref()).unwrap();
    for version in ["1", "2", "3", "2", "4", "5"] {
        let data = resource.data("Update", version).await;
        for name in ["PublicKey", "PrivateKey"] {
            assert_eq!(data.text(name), first.text(name), "{version}");
        }
    }
    // The property of earlier templates has no effect.
    let mut properties = resource.properties("6");
    properties["Downloads"] = "false".into();
    assert_eq!(resource.data_of("Update", properties).await.text("PublicKey"), first.text("PublicKey"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_at_once_have_the_same_secrets() {
    let mut resource = Resource::start(Shared::start().await, |function| function.instances(4)).await;
    for (kind, version) in [("Create", "1"), ("Update", "2"), ("Update", "3")] {
        let event = resource.event(kind, &json!({ "Version": version })).to_string();
        let runs: Vec<_> = (0..4)
            .map(|_| {
                let (function, event) = (resource.function.clone(), event.clone());
                tokio::spawn(async move { function.invoke(event).await })
            })
            .collect();
        let first = resource.cloudformation.answer().await.body;
        assert_eq!(first["Status"], "SUCCESS", "{first}");
        for _ in 1..4 {
            assert_eq!(resource.cloudformation.answer().await.body, first);
        }
        for run in runs {
            run.await.unwrap().unwrap();
        }
        assert_eq!(resource.imported(version).await, first["Data"]["UploadKeys"].as_str().unwrap());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_is_said_to_people_and_a_stack_can_always_be_deleted() {
    let emulators = Shared::that_may_refuse().await;
    // Three seconds for the work, and five to say what came of it.
    let mut resource = Resource::start(emulators, |function| function.timeout(Duration::from_secs(8))).await;
    let create = create_at(&resource);
    resource.emulators.inject(Rule::new(Fault::AccessDenied).operation("PutObject"));
    let reason = resource.failure(&create).await;
    assert!(reason.contains("denied") || reason.contains("AccessDenied"), "the last denial is told: {reason}");
    resource.emulators.clear_faults();
    // S3 that does not answer takes the function's time, not all of it.
    resource.emulators.inject(Rule::new(Fault::Hang));
    let reason = resource.failure(&create).await;
    assert!(reason.contains("time"), "{reason}");
    let gone = resource.told(&resource.event("Delete", &json!({ "Version": "1" }))).await;
    assert_eq!(gone["Status"], "SUCCESS");
    resource.emulators.clear_faults();
    resource.data("Create", "1").await;

    // Set up wrong.
    let nowhere = |function: FunctionBuilder| function.env("REGISTRY_STORAGE_S3_BUCKET", "");
    let mut resource = Resource::start(Shared::start().await, nowhere).await;
    let reason = resource.failure(&create_at(&resource)).await;
    assert!(reason.ends_with("storage.s3.bucket: missing; allowed: the name of a bucket"), "{reason}");
    let gone = resource.told(&resource.event("Delete", &json!({}))).await;
    assert_eq!(gone["Status"], "SUCCESS");
}

fn create_at(resource: &Resource) -> Value {
    resource.event("Create", &json!({ "Version": "1" }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_that_are_wrong_are_answered_wherever_they_can_be() {
    let mut resource = Resource::start(Shared::start().await, |function| function).await;
    let changed = |field: &str, value: Value| {
        let mut event = create_at(&resource);
        event[field] = value;
        event
    };
    let version = |version: Value| changed("ResourceProperties", json!({ "Version": version }));
    let wrong = [
        (changed("RequestType", json!("Replace")), "none of Create, Update and Delete"),
        (changed("RequestType", Value::Null), "no RequestType"),
        (changed("ResourceProperties", Value::Null), "Version is missing"),
        (version(json!("")), "Version is missing"),
        (version(json!(["1"])), "Version is missing"),
        (version(json!("../1")), "Version: allowed are"),
        (version(json!("1/2")), "Version: allowed are"),
        (version(json!("x".repeat(65))), "Version: allowed are"),
        (
            changed("ResourceProperties", json!({ "Version": "1", "Rules": "allow\nall" })),
            "Rules: line 1: not of the form",
        ),
    ];
    for (event, said) in wrong {
        let reason = resource.failure(&event).await;
        assert!(reason.contains(said), "{reason}");
    }
    // Where secrets must not go, or nobody is.
    for url in [
        Value::Null,
        json!(7),
        json!(""),
        json!("http://192.0.2.1/x"),
        json!("http://localhost.example.com/"),
        json!("file:///etc/passwd"),
        json!("not a url"),
    ] {
        let error = resource.function.invoke(changed_url(&resource, url.clone()).to_string()).await;
        assert!(error.is_err(), "{url}");
    }
    for event in ["null", "[]", "\"x\"", "{}"] {
        assert!(resource.function.invoke(event).await.is_err(), "{event}");
    }
    assert_eq!(resource.files(), [""; 0], "nothing was written for any of them");

    // An answer that is not taken is sent again; one that is never taken is an error, and Lambda sends the event again.
    resource.cloudformation = Listener::start(&[503, 500]).await;
    resource.data("Create", "1").await;
    resource.cloudformation = Listener::start(&[500, 403, 503]).await;
    let event = create_at(&resource).to_string();
    assert!(resource.function.invoke(event.clone()).await.is_err());
    resource.function.log(|line| line.text.contains("ResponseURL answers 503")).await;
    assert_eq!(resource.function.invoke(event).await.unwrap(), "{}");
}

fn changed_url(resource: &Resource, url: Value) -> Value {
    let mut event = create_at(resource);
    event["ResponseURL"] = url;
    event
}
