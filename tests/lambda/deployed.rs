//! All of a deployment with CloudFront: the template's distribution and function on an emulated CloudFront, the secrets by its
//! custom resource, the registry behind.

use berth_local::{
    CustomResource, Template,
    edge::{Distribution, Edge, EdgeOptions, EdgeRequest},
    lambda::{Door, DoorOptions, Function},
};
use bytes::Bytes;
use http::StatusCode;

use crate::{
    stack::{BASIC, Shared, code, described, names},
    support::http::{Answer, Http},
};

/// The parameter LargestLayer, in bytes.
pub(crate) const LARGEST: usize = 6_000_000;

pub(crate) struct Deployed {
    pub(crate) emulators: Shared,
    pub(crate) registry: Function,
    pub(crate) edge: Edge,
    /// The key of tickets.
    pub(crate) key: String,
    /// Where the function URL listens, as in `127.0.0.1:5000`.
    pub(crate) function_url: String,
    _door: Door,
    _secrets: Function,
}

impl Deployed {
    pub(crate) async fn start(options: EdgeOptions, parameters: &[(&str, &str)]) -> Self {
        Self::at(options, DoorOptions::default(), parameters).await
    }

    /// With a function URL of these options.
    pub(crate) async fn at(options: EdgeOptions, door: DoorOptions, parameters: &[(&str, &str)]) -> Self {
        let emulators = Shared::start().await;
        let template = Template::read(concat!(env!("CARGO_MANIFEST_DIR"), "/template.yaml")).unwrap();
        let largest = LARGEST.to_string();
        let mut names = names(&emulators).parameter("Front", "cloudfront").parameter("LargestLayer", &largest);
        names = parameters.iter().fold(names, |names, (name, value)| names.parameter(*name, *value));
        let early = names.clone().before_custom_resources();
        let secrets = described(&emulators, "EdgeSecretsFunction", &early).start().await.unwrap();
        let properties = template.resource("EdgeSecrets", &names).unwrap();
        let mut resource =
            CustomResource::new("EdgeSecrets", "Custom::EdgeSecrets", properties).stack(names.stack_id());
        let made = resource.create(&secrets).await.unwrap();
        let key = made.data["UploadKeys"].clone();
        names = made.data.into_iter().fold(names, |names, (name, value)| names.attribute("EdgeSecrets", name, value));
        let registry = described(&emulators, "RegistryFunction", &names).instances(3).seed(7).start().await.unwrap();
        let door = registry.door(door).unwrap();
        let url = template.function_url("RegistryFunction", &names).unwrap();
        names = names.attribute(url, "FunctionUrl", format!("{}/", door.url()));
        let distribution = Distribution::deployed(&template, "EdgeDistribution", &names, &emulators).unwrap();
        let edge = Edge::start(distribution, options).unwrap();
        let function_url = door.address().to_string();
        Self { emulators, registry, edge, key, function_url, _door: door, _secrets: secrets }
    }

    /// A client that is logged in.
    pub(crate) fn http(&self) -> Http {
        self.stranger().with_login(BASIC.to_owned())
    }

    /// A client without credentials.
    pub(crate) fn stranger(&self) -> Http {
        Http::new(&self.edge.address().to_string())
    }

    pub(crate) async fn open(&self, repository: &str) -> Answer {
        let opened = self.http().post(&format!("/v2/{repository}/blobs/uploads/")).await;
        assert_eq!(opened.status, StatusCode::ACCEPTED, "{opened:?}");
        opened
    }

    /// What a client does with an answer to its closing PUT.
    pub(crate) async fn followed(&self, closed: Answer) -> Answer {
        let mut answer = closed;
        while answer.status == StatusCode::SEE_OTHER {
            answer = self.http().get(answer.header("location")).await;
        }
        answer
    }

    pub(crate) async fn close(&self, url: &str, content: &Bytes) -> Answer {
        self.followed(self.http().put(url, &[], content.clone()).await).await
    }

    pub(crate) fn blobs(&self) -> Vec<String> {
        self.emulators.s3().objects().into_keys().filter(|key| key.contains("/blobs/")).collect()
    }

    pub(crate) fn staged(&self) -> Vec<String> {
        self.emulators.s3().objects().into_keys().filter(|key| key.contains("/_uploads/")).collect()
    }

    pub(crate) fn to_bucket(&self) -> Vec<EdgeRequest> {
        self.edge.requests().into_iter().filter(|request| request.origin.as_deref() == Some("bucket")).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_function_url_alone_is_no_second_door() {
    let deployed = Deployed::start(EdgeOptions::default(), &[]).await;
    let past = Http::new(&deployed.function_url).get("/v2/").await;
    assert_eq!((past.status, code(&past).as_str()), (StatusCode::FORBIDDEN, "DENIED"));
}
