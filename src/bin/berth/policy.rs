//! `berth policy`.

mod who;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use berth::{
    auth::{Access, Action, Identity, Rules},
    config::{Auth, Config, Controller, process_environment},
    name::RepositoryName,
};
use clap::{Subcommand, ValueEnum};

use crate::{MISCONFIGURED, complain};

#[derive(Subcommand)]
pub(crate) enum Policy {
    /// Say whether somebody may do something, and by which rule. Exit code 0: yes, 1: no, 2: nobody can tell.
    Check(Check),
}

#[derive(clap::Args)]
pub(crate) struct Check {
    /// Who asks: anonymous, user:NAME, key:NAME, account:ID, role:ID/NAME, iamuser:ID/NAME, oidc:ISSUER.
    #[arg(long = "as", value_name = "WHO", value_parser = who::parse)]
    who: Identity,
    /// What the issuer of oidc:ISSUER says of them; repeated for each claim.
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = who::claim)]
    claims: Vec<(String, String)>,
    /// What they want to do.
    #[arg(long)]
    action: What,
    /// With which repository; the catalog takes none.
    #[arg(long, required_if_eq_any = [("action", "pull"), ("action", "push"), ("action", "delete")])]
    repo: Option<RepositoryName>,
    /// The configuration whose rules count, as in `berth serve`.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A file of rules, instead of a configuration's.
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    rules: Option<PathBuf>,
}

/// What rules can allow.
#[derive(Clone, Copy, ValueEnum)]
enum What {
    Pull,
    Push,
    Delete,
    Catalog,
}

impl Policy {
    pub(crate) fn run(self) -> ExitCode {
        let Self::Check(check) = self;
        match check.decide() {
            Ok(Decision { allowed, reason }) => {
                println!("{}: {reason}", if allowed { "allowed" } else { "refused" });
                ExitCode::from(u8::from(!allowed))
            }
            Err(error) => complain(MISCONFIGURED, &format!("{error:#}")),
        }
    }
}

/// Whether it is allowed, and why.
struct Decision {
    allowed: bool,
    reason: String,
}

impl Check {
    fn decide(self) -> anyhow::Result<Decision> {
        let identity = who::with_claims(self.who, self.claims)?;
        let access = match (self.action, self.repo) {
            (What::Catalog, _) => Access::Catalog,
            (What::Pull, Some(repo)) => Access::Repository(repo, Action::Pull),
            (What::Push, Some(repo)) => Access::Repository(repo, Action::Push),
            (What::Delete, Some(repo)) => Access::Repository(repo, Action::Delete),
            (_, None) => anyhow::bail!("--repo is missing: whether somebody may depends on the repository"),
        };
        let (rules, place) = match &self.rules {
            Some(path) => {
                let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
                (text, path.display().to_string())
            }
            None => match configured(self.config.as_deref(), &identity)? {
                Configured::Rules(rules) => (rules, "auth.rules".to_owned()),
                Configured::Decision(decision) => return Ok(decision),
            },
        };
        let rules: Rules = rules.parse().with_context(|| place.clone())?;
        Ok(match rules.allow(&identity, &access) {
            Some(rule) => {
                let reason = format!("{identity} may {access}, by line {} of {place}: {}", rule.line, rule.text);
                Decision { allowed: true, reason }
            }
            None => Decision { allowed: false, reason: format!("no rule of {place} lets {identity} {access}") },
        })
    }
}

/// What a configuration says.
enum Configured {
    Rules(String),
    /// It has no rules.
    Decision(Decision),
}

fn configured(file: Option<&Path>, identity: &Identity) -> anyhow::Result<Configured> {
    let decision = |allowed, reason: String| Ok(Configured::Decision(Decision { allowed, reason }));
    let Auth { controller, rules } = Config::load(file, process_environment())?.auth;
    if controller == Controller::None {
        return decision(true, "the configuration has no auth, so that everybody may do everything".to_owned());
    }
    if let Controller::Token(token) = &controller {
        return decision(
            false,
            format!("what who may do, the token service at {} says, and no rule here", token.realm),
        );
    }
    if !can_log_in(&controller, identity) {
        return decision(false, format!("the configuration takes no proof of being {identity}"));
    }
    match (rules, identity) {
        (Some(rules), _) => Ok(Configured::Rules(rules)),
        (None, Identity::Anonymous) => decision(false, "without auth.rules everybody has to log in".to_owned()),
        (None, _) => decision(true, "without auth.rules whoever logs in may do everything".to_owned()),
    }
}

/// Whether `controller` lets anybody be `identity`.
fn can_log_in(controller: &Controller, identity: &Identity) -> bool {
    match (controller, identity) {
        (_, Identity::Anonymous) | (Controller::Htpasswd { .. }, Identity::User(_)) => true,
        (Controller::Berth(berth), Identity::User(_)) => berth.users.is_some(),
        (Controller::Berth(berth), Identity::Key(_)) => berth.keys,
        (Controller::Berth(berth), Identity::Aws(_)) => berth.aws,
        (Controller::Berth(berth), Identity::Oidc(oidc)) => berth.oidc.iter().any(|issuer| issuer.url == oidc.issuer),
        (Controller::None | Controller::Token(_) | Controller::Htpasswd { .. }, _) => false,
    }
}
