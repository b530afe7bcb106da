//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use berth_local::lambda;

/// Serves the deployment on this machine: emulated S3, DynamoDB, STS and OpenID Connect issuer, the real bootstrap as Lambda runs it, and a front door.
#[derive(Debug, clap::Parser)]
pub(crate) struct Arguments {
    /// Where clients reach the registry
    #[arg(long, default_value = "127.0.0.1:5000")]
    pub(crate) addr: SocketAddr,
    /// Put the template's CloudFront before the function: sets its parameter Edge to true. The function's own door then has a port of
    /// its own
    #[arg(long, conflicts_with = "deployment")]
    pub(crate) edge: bool,
    /// Show viewer-response functions the request as the viewer sent it, not as a function rewrote it
    #[arg(long)]
    pub(crate) edge_original_request: bool,
    /// Leave headers that were added, such as x-amz-checksum-sha256, out of what CloudFront signs for S3, which then refuses them
    #[arg(long)]
    pub(crate) edge_checksum_unsigned: bool,
    /// Close the connection of a request that is answered before it is read, in place of reading on for a while
    #[arg(long)]
    pub(crate) edge_closes: bool,
    /// The AWS service whose door is played
    #[arg(long, value_enum, default_value = "function-url")]
    pub(crate) front: Front,
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
    /// Refuse requests while all instances are busy, in place of having them wait
    #[arg(long)]
    pub(crate) refuse_when_busy: bool,
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
    /// Send every request body in base64, not only binary ones
    #[arg(long)]
    pub(crate) base64_all: bool,
    /// Send the Content-Length of answers to HEAD as x-amzn-remapped-content-length
    #[arg(long)]
    pub(crate) remap_head_length: bool,
    /// Send WWW-Authenticate as x-amzn-remapped-www-authenticate
    #[arg(long)]
    pub(crate) remap_challenge: bool,
    /// Bytes of an event, base64 and all, beyond which a request is answered 413
    #[arg(long, default_value_t = lambda::PAYLOAD_LIMIT, value_name = "BYTES")]
    pub(crate) event_limit: usize,
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

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Front {
    FunctionUrl,
    HttpApi,
}

impl From<Front> for lambda::Front {
    fn from(front: Front) -> Self {
        match front {
            Front::FunctionUrl => lambda::Front::FunctionUrl,
            Front::HttpApi => lambda::Front::HttpApi,
        }
    }
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it has no `=`")?;
    Ok((name.to_owned(), value.to_owned()))
}
