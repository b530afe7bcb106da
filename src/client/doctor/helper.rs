//! Whether the credential helper that Docker's configuration names can be run.

use std::{
    env,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use super::record::Finding;
use crate::client::{DockerConfig, HELPER, Host, keychain::is_name};

pub(super) async fn check(host: &Host) -> Finding {
    let mut config = match DockerConfig::open() {
        Ok(config) => config,
        Err(error) => return Finding::failed(error, "repair the file; docker, podman and berth read it"),
    };
    // Docker asks the helper of all registries where one has none of its own.
    let named = config.helper(host).or_else(|| config.store()).filter(|name| is_name(name));
    let Some(name) = named else {
        let own = match find(&program(HELPER)) {
            Some(path) => format!("{} is in PATH", path.display()),
            None => format!("{} is not in PATH", program(HELPER)),
        };
        let path = config.path().display();
        return Finding::Skipped(format!("{path} names none for {host} (`berth login {host}` does); {own}"));
    };
    let (program, path) = (program(&name), config.path().display().to_string());
    match find(&program) {
        Some(found) => Finding::Ok(format!("{path} names {program} for {host}, which is {}", found.display())),
        None => {
            let fix = match name == HELPER {
                true => format!(
                    "copy {program} into a folder of PATH (`make install`, or the release archive), or log in with a \
                     password: `berth login {host} --username NAME --password-stdin`"
                ),
                false => format!("install {program}, or remove its name from {path}"),
            };
            Finding::failed(format!("{path} names {program} for {host}, and no folder of PATH has it"), fix)
        }
    }
}

fn program(name: &str) -> String {
    format!("docker-credential-{name}")
}

/// The file that a shell would run for `program`.
fn find(program: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| is_executable(path))
}

fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}
