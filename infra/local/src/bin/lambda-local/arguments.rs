//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use berth_local::{AssumptionError, Assumptions, lambda};

/// Serves the deployment on this machine: emulated S3, DynamoDB, STS and OpenID Connect issuer, the real bootstrap as Lambda runs it, and a front door.
#[derive(Debug, clap::Parser)]
pub(crate) struct Arguments {
    /// Where clients reach the registry
    #[arg(long, default_value = "127.0.0.1:5000")]
    pub(crate) addr: SocketAddr,
    /// The front end, and the value of the template's parameter Front; with --deployment, function-url or http-api [default:
    /// cloudfront; with --deployment function-url]
    #[arg(long, value_enum)]
    pub(crate) front: Option<FrontEnd>,
    /// What AWS is assumed to do; may be repeated, and --assumptions lists all
    #[arg(long, value_name = "NAME=VALUE", value_parser = assumption)]
    pub(crate) assume: Vec<String>,
    /// Print all assumptions as JSON, with their values, and exit
    #[arg(long)]
    pub(crate) assumptions: bool,
    /// The most instances at a time
    #[arg(long, default_value_t = 4, value_name = "N")]
    pub(crate) instances: usize,
    /// Start all instances ahead, and give each request to an idle one at random
    #[arg(long)]
    pub(crate) random: bool,
    /// The same, choosing the same again for the same seed
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// End an instance after so many requests; 1 is a fresh process for each
    #[arg(long, value_name = "N")]
    pub(crate) recycle_after: Option<u64>,
    /// Do not stop instances between requests
    #[arg(long)]
    pub(crate) no_freeze: bool,
    /// The program that is the functions; by default, `bootstrap` beside this one
    #[arg(long, value_name = "PATH")]
    pub(crate) bootstrap: Option<PathBuf>,
    /// Who may log in, as an htpasswd line with a bcrypt hash; may be repeated. By default, one is made up
    #[arg(
        long = "user",
        value_name = "NAME:HASH",
        env = "REGISTRY_AUTH_HTPASSWD_USERS",
        value_delimiter = ',',
        hide_env_values = true
    )]
    pub(crate) users: Vec<String>,
    /// The template that says what each function is given, and may do
    #[arg(long, value_name = "FILE", default_value = "template.yaml", conflicts_with = "deployment")]
    pub(crate) template: PathBuf,
    /// A parameter of the template in place of its default; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable, conflicts_with = "deployment")]
    pub(crate) parameter: Vec<(String, String)>,
    /// The same as a deployment of the template had it: the JSON that tests/template/run leaves
    #[arg(long, value_name = "FILE")]
    pub(crate) deployment: Option<PathBuf>,
    /// A variable for both functions, which wins over all others; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    pub(crate) env: Vec<(String, String)>,
    /// Tell functions that their clients use https: the URLs in their answers can then not be followed here
    #[arg(long)]
    pub(crate) https: bool,
    /// Where S3 listens
    #[arg(long, default_value = "127.0.0.1:0", value_name = "HOST:PORT")]
    pub(crate) s3: SocketAddr,
    /// Where DynamoDB listens
    #[arg(long, default_value = "127.0.0.1:0", value_name = "HOST:PORT")]
    pub(crate) dynamodb: SocketAddr,
    /// Where STS listens
    #[arg(long, default_value = "127.0.0.1:0", value_name = "HOST:PORT")]
    pub(crate) sts: SocketAddr,
    /// Where the OpenID Connect issuer listens; this is also how rules call it: oidc:http://HOST:PORT
    #[arg(long, default_value = "127.0.0.1:0", value_name = "HOST:PORT")]
    pub(crate) oidc: SocketAddr,
    /// Where counters, faults and instances are seen and commanded
    #[arg(long, default_value = "127.0.0.1:0", value_name = "HOST:PORT")]
    pub(crate) admin: SocketAddr,
    /// The region that all is in
    #[arg(long, default_value = "us-east-1", conflicts_with = "deployment")]
    pub(crate) region: String,
    /// Where the folder of object bodies is made
    #[arg(long, value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
}

/// What clients connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum FrontEnd {
    /// CloudFront, with the function URL behind it on a port of its own
    #[value(name = "cloudfront")]
    CloudFront,
    /// An HTTP API
    HttpApi,
    /// The function URL
    FunctionUrl,
}

impl FrontEnd {
    /// As in the template's parameter.
    pub(crate) fn name(self) -> &'static str {
        match self {
            FrontEnd::CloudFront => "cloudfront",
            FrontEnd::HttpApi => "http-api",
            FrontEnd::FunctionUrl => "function-url",
        }
    }

    /// The door of the function.
    pub(crate) fn door(self) -> lambda::Front {
        match self {
            FrontEnd::CloudFront | FrontEnd::FunctionUrl => lambda::Front::FunctionUrl,
            FrontEnd::HttpApi => lambda::Front::HttpApi,
        }
    }
}

impl Arguments {
    /// The front end that is asked for, or the default.
    pub(crate) fn front(&self) -> FrontEnd {
        let default = if self.deployment.is_some() { FrontEnd::FunctionUrl } else { FrontEnd::CloudFront };
        self.front.unwrap_or(default)
    }

    /// What is assumed of AWS.
    pub(crate) fn assumed(&self) -> Result<Assumptions, AssumptionError> {
        self.assume.iter().try_fold(Assumptions::default(), |assumptions, text| assumptions.assume(text))
    }
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it has no `=`")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn assumption(text: &str) -> Result<String, AssumptionError> {
    Assumptions::default().assume(text).map(|_| text.to_owned())
}
