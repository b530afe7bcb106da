//! The deployment on this machine.
#![allow(dead_code)] // others use a part of it

use std::{ops::Deref, sync::Arc};

use berth::digest::Digest;
use berth_local::{
    Emulators, Names, Template,
    lambda::{Door, DoorOptions, Function, FunctionBuilder},
};
use bytes::Bytes;
use http::{Method, StatusCode};

use crate::support::http::{Answer, Http};

/// alice, whose password is "wonderland".
pub(crate) const USERS: &str = "alice:$2y$04$jiJtvhzNaht1A.DuAMxGqO28xA5iWb0VS8GmE39hV3S/FuchCr1L2";

/// How she says so.
pub(crate) const BASIC: &str = "Basic YWxpY2U6d29uZGVybGFuZA==";

/// What she and others may do.
const RULES: &str = "allow user:alice to pull, push, delete, catalog on **; allow account:123456789012 to pull, push on aws/**; \
                     allow key:* to pull on app; allow oidc:https://token.example.com to push on gh/**; \
                     allow anonymous to pull on public/**";

pub(crate) const OCI_IMAGE: (&str, &str) = ("content-type", "application/vnd.oci.image.manifest.v1+json");

/// One function of the template, and the services that it uses.
pub(crate) struct Stack {
    pub(crate) emulators: Shared,
    pub(crate) function: Function,
    door: Door,
}

/// Emulators that at their end have refused nothing, unless that was asked for.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Checked>);

struct Checked {
    emulators: Emulators,
    may_refuse: bool,
}

impl Shared {
    pub(crate) async fn start() -> Self {
        Self(Arc::new(Checked { emulators: Emulators::start().await.unwrap(), may_refuse: false }))
    }

    /// For tests of what happens when they do.
    pub(crate) async fn that_may_refuse() -> Self {
        Self(Arc::new(Checked { emulators: Emulators::start().await.unwrap(), may_refuse: true }))
    }
}

impl Deref for Shared {
    type Target = Emulators;

    fn deref(&self) -> &Emulators {
        &self.0.emulators
    }
}

impl Drop for Checked {
    fn drop(&mut self) {
        if !self.may_refuse && !std::thread::panicking() {
            assert_eq!(self.emulators.denied(), [], "the template's roles allow all that is asked for");
        }
    }
}

/// What a deployment with the function URL alone adds to the template.
pub(crate) fn names(emulators: &Emulators) -> Names {
    let options = emulators.options();
    let names = Names::of(options).parameter("Users", USERS).parameter("Rules", RULES);
    let names = names.parameter("Front", "function-url");
    names.physical("Bucket", &options.bucket).physical("Table", &options.table)
}

/// Function `id` as the template has it under `names`, held to its role.
pub(crate) fn described(emulators: &Emulators, id: &str, names: &Names) -> FunctionBuilder {
    let template = Template::read(concat!(env!("CARGO_MANIFEST_DIR"), "/template.yaml")).unwrap();
    let described = template.function(id, names).unwrap();
    let role = described.identity();
    emulators.add_identity(role.clone());
    Function::builder(env!("CARGO_BIN_EXE_bootstrap"))
        .handler(described.handler)
        .memory(described.memory_mb)
        .timeout(described.timeout)
        .envs(described.environment)
        .envs(emulators.env_of(&role))
        // What AWS needs no telling.
        .env("REGISTRY_STORAGE_S3_FORCEPATHSTYLE", "true")
}

impl Stack {
    /// The registry function of the template, set up further by `setup`.
    pub(crate) async fn start(setup: impl FnOnce(FunctionBuilder) -> FunctionBuilder) -> Self {
        Self::on(Shared::start().await, setup).await
    }

    /// The same, beside others.
    pub(crate) async fn on(emulators: Shared, setup: impl FnOnce(FunctionBuilder) -> FunctionBuilder) -> Self {
        let names = names(&emulators);
        let function = setup(described(&emulators, "RegistryFunction", &names)).start().await.unwrap();
        let door = function.door(DoorOptions::default()).unwrap();
        Self { emulators, function, door }
    }

    /// Where it is, as in `127.0.0.1:5000`.
    pub(crate) fn host(&self) -> String {
        self.door.address().to_string()
    }

    /// A client that nobody knows.
    pub(crate) fn stranger(&self) -> Http {
        Http::new(&self.door.address().to_string())
    }

    /// A client that is logged in.
    pub(crate) fn http(&self) -> Http {
        logged_in(&self.door)
    }

    pub(crate) async fn push_blob(&self, repository: &str, blob: &Bytes) -> Digest {
        push_blob(&self.http(), repository, blob).await
    }
}

/// A client that is logged in, at `door`.
pub(crate) fn logged_in(door: &Door) -> Http {
    Http::new(&door.address().to_string()).with_login(BASIC.to_owned())
}

/// POST, then PUT with the body.
pub(crate) async fn push_blob(http: &Http, repository: &str, blob: &Bytes) -> Digest {
    let digest = Digest::canonical(blob);
    let opened = http.post(&format!("/v2/{repository}/blobs/uploads/")).await;
    assert_eq!(opened.status, StatusCode::ACCEPTED, "{opened:?}");
    let closed = http.put(&opened.closing(&digest), &[], blob.clone()).await;
    assert_eq!(closed.status, StatusCode::CREATED, "{closed:?}");
    digest
}

/// An image of `layers` and a configuration that names it.
pub(crate) fn manifest(config: &Bytes, layers: &[Bytes]) -> Bytes {
    let entry = |blob: &Bytes, kind: &str| {
        let (digest, size) = (Digest::canonical(blob), blob.len());
        format!(r#"{{"mediaType":"application/vnd.oci.image.{kind}","digest":"{digest}","size":{size}}}"#)
    };
    let layers: Vec<_> = layers.iter().map(|layer| entry(layer, "layer.v1.tar")).collect();
    let (media_type, config, layers) = (OCI_IMAGE.1, entry(config, "config.v1+json"), layers.join(","));
    format!(r#"{{"schemaVersion":2,"mediaType":"{media_type}","config":{config},"layers":[{layers}]}}"#).into()
}

/// Content by its digest, wherever the registry sends the client for it.
pub(crate) async fn pull_blob(http: &Http, repository: &str, digest: &Digest) -> Answer {
    let answer = http.get(&format!("/v2/{repository}/blobs/{digest}")).await;
    if answer.status != StatusCode::TEMPORARY_REDIRECT {
        return answer;
    }
    http.send(Method::GET, answer.header("location"), &[], Bytes::new()).await
}

/// The code of an answer's first error.
pub(crate) fn code(answer: &Answer) -> String {
    let error: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    error["errors"][0]["code"].as_str().unwrap_or_default().to_owned()
}
