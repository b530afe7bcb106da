//! What is deployed: said by a template, or written down by a deployment of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use berth_local::lambda::ResponseParameters;
use berth_local::{Function, Identity, Names, Options, Policy, Template, TemplateError};
use serde::Deserialize;

use super::arguments::FrontEnd;
use super::edge::Plan;

/// The logical ids of the template.
pub(crate) const REGISTRY: &str = "RegistryFunction";
const MAINTENANCE: &str = "MaintenanceFunction";

/// The template's parameter that chooses the front end.
const FRONT: &str = "Front";

/// Both functions, and what there is for them.
#[derive(Debug)]
pub(crate) struct Deployment {
    pub(crate) region: String,
    pub(crate) account: String,
    pub(crate) bucket: String,
    pub(crate) table: String,
    pub(crate) registry: Described,
    pub(crate) maintenance: Described,
    /// CloudFront before the registry, with that front end.
    pub(crate) edge: Option<Plan>,
    /// The response headers that the template's HTTP API overwrites.
    pub(crate) response_parameters: ResponseParameters,
}

/// One function, and who it is to S3 and DynamoDB.
#[derive(Debug)]
pub(crate) struct Described {
    pub(crate) handler: String,
    pub(crate) timeout: Duration,
    pub(crate) memory_mb: u32,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) identity: Identity,
}

/// Why a template or a deployment's file is of no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{0} cannot be read: {1}; --template or --deployment names another file")]
    Read(String, #[source] std::io::Error),
    #[error("{0} does not describe a deployment: {1}")]
    Parse(String, #[source] serde_json::Error),
    #[error("{0}: {1}")]
    Template(String, #[source] TemplateError),
    #[error("{0} has no parameter {FRONT}, so it cannot be deployed with --front cloudfront")]
    NoFront(String),
    #[error("the front end is set by --front, not by --parameter {FRONT}")]
    FrontParameter,
    #[error("--front cloudfront requires a template; it cannot be used with --deployment")]
    CloudFrontOfDeployment,
}

/// The file that `tests/template/run` leaves.
#[derive(Deserialize)]
struct Written {
    region: String,
    account: String,
    bucket: String,
    table: String,
    functions: BTreeMap<String, WrittenFunction>,
}

#[derive(Deserialize)]
struct WrittenFunction {
    handler: String,
    timeout_seconds: u64,
    memory_mb: u32,
    environment: BTreeMap<String, String>,
    policy: Policy,
}

impl Deployment {
    /// As a deployment wrote it down.
    pub(crate) fn written(file: &Path, front: FrontEnd) -> Result<Self, Error> {
        if front == FrontEnd::CloudFront {
            return Err(Error::CloudFrontOfDeployment);
        }
        let parse = |error| Error::Parse(file.display().to_string(), error);
        let mut written: Written = serde_json::from_str(&read(file)?).map_err(parse)?;
        let mut take = |id: &str| {
            let function = written.functions.remove(id);
            let function = function.ok_or_else(|| serde::de::Error::custom(format!("it has no function {id}")));
            function.map(|function| Described::written(id, function)).map_err(parse)
        };
        let (registry, maintenance) = (take(REGISTRY)?, take(MAINTENANCE)?);
        let Written { region, account, bucket, table, .. } = written;
        let response_parameters = ResponseParameters::default();
        Ok(Self { region, account, bucket, table, registry, maintenance, edge: None, response_parameters })
    }

    /// As a template says it for this front end and these parameters. Bucket and table are named as the emulators name theirs
    /// by default.
    pub(crate) fn of_template(
        file: &Path,
        region: &str,
        parameters: &[(String, String)],
        front: FrontEnd,
    ) -> Result<Self, Error> {
        let refused = |error| Error::Template(file.display().to_string(), error);
        let options = Options { region: region.to_owned(), ..Options::default() };
        let names = Names::of(&options).physical("Bucket", &options.bucket).physical("Table", &options.table);
        let names = parameters.iter().fold(names, |names, (name, value)| names.parameter(name, value));
        let template = Template::parse(&read(file)?).map_err(refused)?;
        if parameters.iter().any(|(name, _)| name == FRONT) {
            return Err(Error::FrontParameter);
        }
        let names = match front {
            _ if template.has_parameter(FRONT) => names.parameter(FRONT, front.name()),
            FrontEnd::CloudFront => return Err(Error::NoFront(file.display().to_string())),
            FrontEnd::HttpApi | FrontEnd::FunctionUrl => names,
        };
        // Their function has to be started first, and for that the bucket has to be there.
        let early = names.clone().before_custom_resources();
        let function = |id| template.function(id, &early).map(Described::from).map_err(refused);
        let (registry, maintenance) = (function(REGISTRY)?, function(MAINTENANCE)?);
        // Another one, where a parameter names it.
        let bucket = registry.environment.get("REGISTRY_STORAGE_S3_BUCKET").cloned().unwrap_or(options.bucket);
        let Options { region, account, table, .. } = options;
        let names = names.physical("Bucket", &bucket);
        let response_parameters = ResponseParameters::deployed(&template, &names).map_err(refused)?;
        let edge = (front == FrontEnd::CloudFront).then(|| Plan::new(file, template, names));
        Ok(Self { region, account, bucket, table, registry, maintenance, edge, response_parameters })
    }
}

fn read(file: &Path) -> Result<String, Error> {
    fs::read_to_string(file).map_err(|error| Error::Read(file.display().to_string(), error))
}

impl Described {
    fn written(id: &str, function: WrittenFunction) -> Self {
        let WrittenFunction { handler, timeout_seconds, memory_mb, environment, policy } = function;
        let identity = Identity::named(id, Some(policy));
        Self { handler, timeout: Duration::from_secs(timeout_seconds), memory_mb, environment, identity }
    }
}

impl From<Function> for Described {
    fn from(function: Function) -> Self {
        let identity = function.identity();
        let Function { handler, timeout, memory_mb, environment, .. } = function;
        Self { handler, timeout, memory_mb, environment, identity }
    }
}
