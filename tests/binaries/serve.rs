//! `berth serve`: what it says, where it serves, how it ends.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, ChildStdout, Command, Output, Stdio},
};

/// The program, without what the developer's environment configures.
fn berth(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_berth"));
    command.current_dir(folder).env_remove("RUST_LOG");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("REGISTRY_") {
            command.env_remove(name);
        }
    }
    command
}

/// A registry that serves, killed when dropped.
struct Serving {
    process: Child,
    output: BufReader<ChildStdout>,
    said: String,
}

impl Serving {
    fn start(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut said = String::new();
        output.read_line(&mut said).unwrap();
        Self { process, output, said }
    }

    /// `HOST:PORT`, from what it said.
    fn host(&self) -> &str {
        let (_, rest) = self.said.split_once("http://").unwrap_or_else(|| panic!("{:?}", self.said));
        rest.split([',', '/']).next().unwrap()
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(self.host()).unwrap()
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.process.id().to_string()).status().unwrap();
        assert!(status.success());
    }

    /// Waits for its end: exit code, and what it wrote to standard error.
    fn end(mut self) -> (Option<i32>, String) {
        let (mut rest, mut complaints) = (String::new(), String::new());
        self.output.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "", "one line is all it says");
        self.process.stderr.take().unwrap().read_to_string(&mut complaints).unwrap();
        (self.process.wait().unwrap().code(), complaints)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Sends a request and reads until the server closes.
fn ask(mut stream: TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn refused(output: &Output, code: i32) -> String {
    let complaint = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!((output.status.code(), complaint.lines().count()), (Some(code), 1), "{complaint}");
    assert!(complaint.starts_with("berth: "), "{complaint}");
    complaint
}

#[test]
fn serves_a_folder_and_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(berth(folder.path()).args(["serve", "--addr", "127.0.0.1:0"]));
    assert!(serving.said.trim_end().ends_with(folder.path().join("data").to_str().unwrap()), "{}", serving.said);
    let answer = ask(serving.connect(), "GET /v2/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    serving.signal("TERM");
    let (code, log) = serving.end();
    assert_eq!(code, Some(0));
    let line = log.lines().find(|line| line.contains("access")).expect("an access line");
    for part in ["method=GET", "path=\"/v2/\"", "status=200", "bytes=2"] {
        assert!(line.contains(part), "{line}");
    }
    assert!(folder.path().join("data").is_dir());
}

#[test]
fn a_signal_lets_what_is_under_way_finish_and_a_second_does_not() {
    for (signal, insist) in [("TERM", false), ("INT", false), ("TERM", true)] {
        let folder = tempfile::tempdir().unwrap();
        let serving = Serving::start(berth(folder.path()).args(["serve", "--addr", "127.0.0.1:0"]));
        let digest = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"; // of "test"
        let mut stream = serving.connect();
        let head = "HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n";
        write!(stream, "POST /v2/repo/blobs/uploads/?digest={digest} {head}").unwrap();
        let mut told = [0; 25];
        stream.read_exact(&mut told).unwrap();
        assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");

        serving.signal(signal);
        let host = serving.host().to_owned();
        while TcpStream::connect(&host).is_ok() {} // until it takes no more
        if insist {
            serving.signal(signal);
            let (code, complaint) = serving.end();
            assert_eq!(code, Some(1));
            assert!(complaint.contains("berth: stopped at once"), "{complaint}");
        } else {
            let answer = ask(stream, "test");
            assert!(answer.starts_with("HTTP/1.1 201 Created\r\n"), "{answer}");
            assert_eq!(serving.end().0, Some(0));
        }
    }
}

#[test]
fn what_is_misconfigured_is_one_line_and_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bad.yml"), "version: 0.1\nstorage: {filesystem: {rootdir: x}}\n").unwrap();
    std::fs::write(folder.path().join("s3.yml"), "version: 0.1\nstorage: {s3: {bucket: b, region: r}}\n").unwrap();
    for (arguments, part) in [
        (vec!["--config", "bad.yml"], "rootdir"),
        (vec!["--config", "missing.yml"], "missing.yml"),
        (vec!["--config", "s3.yml", "--data", "x"], "--data"),
        (vec!["--addr", "nowhere"], "--addr"),
    ] {
        let output = berth(folder.path()).arg("serve").args(&arguments).output().unwrap();
        let complaint = refused(&output, 2);
        assert!(complaint.contains(part), "{complaint}");
    }
    let output = berth(folder.path()).arg("serve").env("REGISTRY_LOG_LEVEL", "loud").output().unwrap();
    assert!(refused(&output, 2).contains("REGISTRY_LOG_LEVEL"));
    // A proof that is bound to a host that the client may choose is bound to nothing.
    let rules = ("REGISTRY_AUTH_RULES", "allow account:111122223333 to pull on **");
    let output = berth(folder.path()).arg("serve").envs([rules, ("REGISTRY_AUTH_BERTH_AWS", "true")]).output().unwrap();
    assert!(refused(&output, 2).contains("http.host"));
    let output = berth(folder.path()).arg("serve").env("RUST_LOG", "berth=loud").output().unwrap();
    assert!(refused(&output, 2).contains("RUST_LOG"));
    // The command line's own grammar is clap's to explain.
    assert_eq!(berth(folder.path()).args(["serve", "--port", "1"]).output().unwrap().status.code(), Some(2));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "no data folder was made");
}

#[test]
fn a_registry_that_asks_nobody_who_they_are_says_so_aloud() {
    let users = ("REGISTRY_AUTH_HTPASSWD_USERS", crate::login_served::ALICE);
    for (address, level, login, loud) in [
        ("127.0.0.1:0", "info", None, Some("WARN")),
        ("localhost:0", "warn", None, Some("WARN")),
        // However little is to be logged.
        (":0", "error", None, Some("ERROR")),
        ("0.0.0.0:0", "error", None, Some("ERROR")),
        (":0", "info", Some(users), None),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = berth(folder.path());
        command.args(["serve", "--addr", address]).env("REGISTRY_LOG_LEVEL", level).envs(login);
        let serving = Serving::start(&mut command);
        serving.signal("TERM");
        let (code, log) = serving.end();
        assert_eq!(code, Some(0), "{log}");
        let said: Vec<&str> = log.lines().filter(|line| line.contains("NOBODY IS ASKED WHO THEY ARE")).collect();
        match loud {
            Some(loud) => assert!(said.len() == 1 && said[0].contains(loud), "{address}: {log}"),
            None => assert!(said.is_empty(), "{log}"),
        }
    }
}

#[test]
fn an_address_in_use_is_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let output = berth(folder.path()).args(["serve", "--addr", &addr]).output().unwrap();
    let complaint = refused(&output, 1);
    assert!(complaint.contains(&addr) && complaint.to_lowercase().contains("in use"), "{complaint}");
}

#[test]
fn a_folder_that_cannot_be_used_is_said_so() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let output = berth(folder.path()).args(["serve", "--addr", "127.0.0.1:0", "--data", "file"]).output().unwrap();
    assert!(refused(&output, 1).contains("file"));
}
