//! A folder in which somebody runs `berth`, and nothing else of theirs.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;
use tokio::task::spawn_blocking;

pub(crate) struct Desk(TempDir);

/// How it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) said: Vec<u8>,
    pub(crate) complained: String,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("tmp")).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.0.path().join(below)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    /// What lies in a folder of it.
    pub(crate) fn list(&self, below: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path(below)) else { return Vec::new() };
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_str().unwrap().to_owned()).collect();
        names.sort();
        names
    }

    /// `berth` with `arguments`, separated by spaces.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_berth"));
        command
            .args(arguments.split_whitespace())
            .current_dir(self.folder())
            .env_clear()
            .env("HOME", self.folder())
            .env("DOCKER_CONFIG", self.path("docker"))
            .env("TMPDIR", self.path("tmp"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn start(&self, arguments: &str) -> Child {
        self.command(arguments).spawn().unwrap()
    }

    /// Runs it to its end.
    pub(crate) async fn run(&self, arguments: &str) -> Ended {
        self.feed(arguments, Vec::new()).await
    }

    /// Runs it to its end, with `input` on standard input.
    pub(crate) async fn feed(&self, arguments: &str, input: Vec<u8>) -> Ended {
        let mut child = self.start(arguments);
        let output = spawn_blocking(move || {
            let mut stdin = child.stdin.take().unwrap();
            let writer = std::thread::spawn(move || drop(stdin.write_all(&input))); // it may end without reading all
            let output = child.wait_with_output().unwrap();
            writer.join().unwrap();
            output
        });
        let output = output.await.unwrap();
        let complained = String::from_utf8(output.stderr).unwrap();
        Ended { code: output.status.code(), said: output.stdout, complained }
    }
}

impl Ended {
    /// What it printed, having done what it was told.
    pub(crate) fn done(&self) -> &str {
        assert_eq!(self.code, Some(0), "{self:?}");
        assert!(!self.complained.contains("berth:"), "{self:?}");
        std::str::from_utf8(&self.said).unwrap()
    }

    /// The document that it printed.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(self.done()).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The one line that it complained, not having done it.
    pub(crate) fn refused(&self, code: i32) -> &str {
        assert_eq!((self.code, self.said.len()), (Some(code), 0), "{self:?}");
        let complaints: Vec<&str> = self.complained.lines().filter_map(|line| line.strip_prefix("berth: ")).collect();
        assert_eq!((complaints.len(), self.complained.ends_with('\n')), (1, true), "{self:?}");
        assert!(!self.complained.contains("panicked"), "{self:?}");
        complaints[0]
    }
}
