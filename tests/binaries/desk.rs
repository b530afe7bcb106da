//! Somebody's machine: a home, Docker's configuration, AWS credentials, and no other programs than those put there.
#![allow(dead_code)] // others use a part of it

use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

/// Never to be seen in what a program says or keeps.
pub(crate) const SECRETS: [&str; 2] = ["SECRET-KEY-of-the-caller", "SESSION-TOKEN-of-the-caller"];

pub(crate) struct Desk {
    folder: TempDir,
    /// Variables besides those that every process here has.
    variables: Vec<(&'static str, String)>,
}

/// How a program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) said: String,
    pub(crate) complained: String,
}

impl Desk {
    /// With AWS credentials in the environment.
    pub(crate) fn new() -> Self {
        let mut desk = Self::without_credentials();
        let keys = [("AWS_ACCESS_KEY_ID", "AKIDEXAMPLEEXAMPLE00"), ("AWS_SECRET_ACCESS_KEY", SECRETS[0])];
        desk.variables.extend(keys.map(|(name, value)| (name, value.to_owned())));
        desk.variables.push(("AWS_SESSION_TOKEN", SECRETS[1].to_owned()));
        desk
    }

    pub(crate) fn without_credentials() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("bin")).unwrap();
        Self { folder, variables: vec![("AWS_REGION", "eu-central-1".to_owned())] }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_owned()));
        self
    }

    /// A program that anybody here can run: a script of the shell.
    pub(crate) fn program(&self, name: &str, script: &str) {
        let path = self.path("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// Docker's configuration.
    pub(crate) fn docker(&self) -> PathBuf {
        self.path("docker/config.json")
    }

    pub(crate) fn keep(&self, docker: &str) {
        fs::create_dir_all(self.path("docker")).unwrap();
        fs::write(self.docker(), docker).unwrap();
    }

    pub(crate) fn kept(&self) -> String {
        fs::read_to_string(self.docker()).unwrap()
    }

    pub(crate) fn berth(&self, arguments: &[&str], input: &str) -> Ended {
        self.run(env!("CARGO_BIN_EXE_berth"), arguments, input)
    }

    pub(crate) fn helper(&self, arguments: &[&str], input: &str) -> Ended {
        self.run(env!("CARGO_BIN_EXE_docker-credential-berth"), arguments, input)
    }

    /// Runs a program to its end. Nothing that it says may be secret.
    fn run(&self, program: &str, arguments: &[&str], input: &str) -> Ended {
        let mut process = Command::new(program)
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .env("DOCKER_CONFIG", self.path("docker"))
            .env("PATH", self.path("bin"))
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = process.stdin.take().unwrap();
        let _ = stdin.write_all(input.as_bytes()); // it may have ended without reading all of it
        drop(stdin);
        let Output { status, stdout, stderr } = process.wait_with_output().unwrap();
        let (said, complained) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
        for secret in SECRETS {
            assert!(!said.contains(secret) && !complained.contains(secret), "{said}{complained}");
        }
        Ended { code: status.code(), said, complained }
    }
}

impl Ended {
    /// The one line that it said, having done what it was told.
    pub(crate) fn done(&self) -> &str {
        assert_eq!((self.code, self.said.lines().count(), &*self.complained), (Some(0), 1, ""), "{self:?}");
        self.said.trim_end()
    }

    /// The one line that it complained, having done nothing.
    pub(crate) fn refused(&self, code: i32) -> &str {
        assert_eq!((self.code, &*self.said, self.complained.lines().count()), (Some(code), "", 1), "{self:?}");
        self.complained.trim_end().strip_prefix("berth: ").expect("it says who complains")
    }
}
