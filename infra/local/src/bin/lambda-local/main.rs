//! The whole deployment on this machine: emulators of what it is on, the real `bootstrap` as Lambda runs it, and a front door that
//! any client can push to. Stops on SIGTERM or SIGINT.

#![forbid(unsafe_code)]

mod arguments;
mod callers;
mod deployment;
mod edge;
mod users;

use std::error::Error;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use berth_local::edge::{Edge, EdgeOptions};
use berth_local::lambda::{DoorOptions, Function, FunctionBuilder, Functions, Scaling, Scheme};
use berth_local::{ASSUMPTIONS, Admin, Assumptions, Emulators, Options};
use clap::Parser as _;
use tokio::signal::unix::{SignalKind, signal};

use self::arguments::Arguments;
use self::callers::{AUDIENCE, Caller, believe};
use self::deployment::{Deployment, Described};
use self::users::{USERS, Users};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.assumptions {
        println!("{}", serde_json::to_string_pretty(&ASSUMPTIONS).unwrap_or_default());
        return ExitCode::SUCCESS;
    }
    match serve(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lambda-local: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    // Before the first line is out: whoever reads it may send the signal at once.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (mut deployment, users) = deployment(&arguments)?;
    let assumed = arguments.assumed()?;
    let emulators = Emulators::start_with(options(&arguments, &assumed, &deployment)).await?;
    let caller = Caller::known_to(emulators.sts(), &deployment.account);
    let issuer = emulators.oidc().issuer();
    if let Some(plan) = &mut deployment.edge {
        let maker = function(&arguments, &emulators, &plan.maker()?)?.start().await?;
        plan.make(&maker).await?;
        maker.stop();
        deployment.registry = plan.registry()?;
    }
    believe(&mut deployment.registry.environment, &issuer);
    let registry = function(&arguments, &emulators, &deployment.registry)?;
    let registry = registry.instances(arguments.instances).freeze(!arguments.no_freeze);
    let registry = match (arguments.seed, arguments.random) {
        (Some(seed), _) => registry.seed(seed),
        (None, true) => registry.scaling(Scaling::AllAtRandom),
        (None, false) => registry,
    };
    let registry = assumed.function(registry);
    let registry = arguments.recycle_after.into_iter().fold(registry, FunctionBuilder::recycle_after);
    let registry = registry.start().await?;
    let maintenance = function(&arguments, &emulators, &deployment.maintenance)?.recycle_after(1).start().await?;
    let door = registry.door(door(&arguments, &assumed, &deployment))?;
    let edge_options = EdgeOptions { address: arguments.addr, ..assumed.edge() };
    let edge = deployment.edge.as_ref().map(|plan| plan.open(&door, &emulators, edge_options)).transpose()?;
    let host = edge.as_ref().map_or(door.address(), Edge::address);
    let function_url = edge.as_ref().map(|_| format!("function-url  {}\n", door.url())).unwrap_or_default();
    let functions = Functions { registry: registry.clone(), maintenance: Some(maintenance.clone()), edge };
    let admin = Admin::start_with(emulators, Some(functions), arguments.admin).await?;
    // At once, so that no line of an instance gets in between.
    let mut out = std::io::stdout();
    let (login, aws) = (users.login(&host.to_string()), caller.login(&host.to_string()));
    let (issuer, admin) = (format!("{issuer} {AUDIENCE}"), admin.endpoint());
    let lines = format!(
        "registry  {host}\nlogin     {login}\nadmin     {admin}\naws       {aws}\nissuer    {issuer}\n{function_url}"
    );
    out.write_all(lines.as_bytes())?;
    out.flush()?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    // A request in flight may hold them beyond the end of this function, and no process may outlive this one.
    registry.stop();
    maintenance.stop();
    Ok(())
}

/// What there is to start, and who may log in to it.
fn deployment(arguments: &Arguments) -> Result<(Deployment, Users), Box<dyn Error>> {
    let Some(file) = &arguments.deployment else {
        let known = arguments.parameter.iter().find(|(name, _)| name == "Users").map(|(_, value)| value);
        let users = Users::choose(&arguments.users, known)?;
        let mut parameters = arguments.parameter.clone();
        parameters.push(("Users".to_owned(), users.lines().to_owned()));
        if !parameters.iter().any(|(name, _)| name == "Rules") {
            // Who has a password may do what else only the account's own people may.
            let everything = |who: String| format!("allow {who} to pull, push, delete, catalog on **");
            let account = format!("account:{}", Options::default().account);
            let rules = [everything("user:*".to_owned()), everything(account)].join("; ");
            parameters.push(("Rules".to_owned(), rules));
        }
        let (template, region) = (&arguments.template, &arguments.region);
        return Ok((Deployment::of_template(template, region, &parameters, arguments.front())?, users));
    };
    let mut deployment = Deployment::written(file, arguments.front())?;
    let environment = &mut deployment.registry.environment;
    let users = Users::choose(&arguments.users, environment.get(USERS))?;
    environment.insert(USERS.to_owned(), users.lines().to_owned());
    Ok((deployment, users))
}

/// The emulators hold the bucket and the table of the deployment.
fn options(arguments: &Arguments, assumed: &Assumptions, deployment: &Deployment) -> Options {
    Options {
        s3_address: arguments.s3,
        dynamodb_address: arguments.dynamodb,
        sts_address: arguments.sts,
        oidc_address: arguments.oidc,
        region: deployment.region.clone(),
        account: deployment.account.clone(),
        bucket: deployment.bucket.clone(),
        table: deployment.table.clone(),
        folder: arguments.folder.clone(),
        ..assumed.emulators()
    }
}

/// As it is deployed, and held to its role; added is what only this machine needs.
fn function(
    arguments: &Arguments,
    emulators: &Emulators,
    described: &Described,
) -> Result<FunctionBuilder, Box<dyn Error>> {
    let program = match &arguments.bootstrap {
        Some(program) => program.clone(),
        None => beside_this_program("bootstrap")?,
    };
    emulators.add_identity(described.identity.clone());
    let function = Function::builder(program)
        .name(format!("berth-{}", described.handler))
        .handler(&described.handler)
        .region(&emulators.options().region)
        .memory(described.memory_mb)
        .timeout(described.timeout)
        .envs(described.environment.clone())
        .envs(emulators.env_of(&described.identity))
        .env("AWS_ENDPOINT_URL_S3", s3(emulators.s3().address()))
        .env("REGISTRY_STORAGE_S3_FORCEPATHSTYLE", "true")
        .envs(arguments.env.iter().cloned())
        .echo(true);
    Ok(function)
}

/// Where functions find S3, and clients that are redirected there: by name, while the registry goes by its address. Clients
/// send their password on to the same host name, whatever the port, and S3 refuses to be asked in two ways at once; nor do
/// all let themselves be led from one loopback address to another.
fn s3(address: SocketAddr) -> String {
    if address.ip() == Ipv4Addr::LOCALHOST {
        format!("http://localhost:{}", address.port())
    } else {
        format!("http://{address}")
    }
}

fn beside_this_program(name: &str) -> std::io::Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name(name))
}

/// Behind CloudFront it has a port of its own.
fn door(arguments: &Arguments, assumed: &Assumptions, deployment: &Deployment) -> DoorOptions {
    let free = SocketAddr::new(arguments.addr.ip(), 0);
    DoorOptions {
        address: if deployment.edge.is_some() { free } else { arguments.addr },
        scheme: if arguments.https { Scheme::Https } else { Scheme::Http },
        response_parameters: deployment.response_parameters.clone(),
        ..assumed.door(arguments.front().door())
    }
}
