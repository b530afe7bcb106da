//! The program, with a home of its own.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, Command, Stdio},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tempfile::TempDir;

use crate::support::http::Http;

/// What a user has on the disk.
pub(crate) struct Home {
    folder: TempDir,
}

/// A gateway that serves. It is killed when it is dropped.
pub(crate) struct Gateway {
    pub(crate) process: Child,
    /// Where it listens, by its number.
    pub(crate) host: String,
    pub(crate) said: String,
}

impl Home {
    /// Of somebody who is logged in to nothing.
    pub(crate) fn new() -> Self {
        let home = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::create_dir(home.spool()).unwrap();
        home
    }

    /// Of `name`, whose password is "wonderland", at `registry`.
    pub(crate) fn of(name: &str, registry: &str) -> Self {
        let home = Self::new();
        let login = STANDARD.encode(format!("{name}:wonderland"));
        let config = serde_json::json!({ "auths": { registry: { "auth": login } } });
        std::fs::write(home.folder.path().join("config.json"), config.to_string()).unwrap();
        home
    }

    pub(crate) fn spool(&self) -> std::path::PathBuf {
        self.folder.path().join("spool")
    }

    /// Files that can be seen in the spool.
    pub(crate) fn spooled(&self) -> usize {
        std::fs::read_dir(self.spool()).unwrap().count()
    }

    /// `program`, as this user runs it.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        let folder = self.folder.path();
        command.env("DOCKER_CONFIG", folder).env("HOME", folder).env("XDG_STATE_HOME", folder.join("state"));
        command.env_remove("RUST_LOG").current_dir(folder);
        command
    }

    /// `berth gateway` to `registry`.
    pub(crate) fn berth(&self, registry: &str) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_berth"));
        command.args(["gateway", "--to", registry, "--addr", "127.0.0.1:0", "--spool"]).arg(self.spool());
        command
    }

    pub(crate) fn start(&self, registry: &str) -> Gateway {
        Gateway::start(&mut self.berth(registry))
    }
}

impl Gateway {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut said).unwrap();
        let port = said.trim_end().rsplit(':').next().unwrap_or_default();
        assert!(port.parse::<u16>().is_ok(), "no port in {said:?}");
        Self { host: format!("127.0.0.1:{port}"), process, said }
    }

    pub(crate) fn http(&self) -> Http {
        Http::new(&self.host)
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.process.id().to_string()).status().unwrap();
        assert!(status.success());
    }

    /// Waits for its end: exit code, and what it said besides.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let code = self.process.wait().unwrap().code();
        let mut complaints = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut complaints).unwrap();
        (code, complaints)
    }

    /// The most memory that it has had resident so far, in bytes (proc(5), `VmHWM`).
    pub(crate) fn peak_resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux says VmHWM");
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
