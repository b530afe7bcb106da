//! A command that runs while the gateway serves, and how the gateway ends.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::Stdio,
    time::Instant,
};

use crate::process::Home;

#[test]
fn a_command_runs_while_it_serves_and_its_code_is_handed_on() {
    let home = Home::new();
    let script = "echo at $BERTH_GATEWAY; exit 7";
    let output = home.berth("registry.example.com").args(["--", "sh", "-c", script]).output().unwrap();
    let (said, line) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(7));
    assert!(said.starts_with("at localhost:"), "what a command prints is all of the output: {said}");
    assert!(line.starts_with("Berth serves registry.example.com at localhost:") && line.lines().count() == 1, "{line}");

    let quiet = home.berth("registry.example.com").args(["--quiet", "--", "true"]).output().unwrap();
    assert_eq!((quiet.status.code(), quiet.stdout.len(), quiet.stderr.len()), (Some(0), 0, 0));
    let killed = home.berth("registry.example.com").args(["-q", "--", "sh", "-c", "kill -9 $$"]).output().unwrap();
    assert_eq!(killed.status.code(), Some(128 + 9));
    let missing = home.berth("registry.example.com").args(["-q", "--", "no-such-program"]).output().unwrap();
    let complaint = String::from_utf8(missing.stderr).unwrap();
    assert_eq!(missing.status.code(), Some(1));
    assert!(complaint.contains("no-such-program cannot be run"), "{complaint}");
}

#[test]
fn a_command_is_told_to_end_too() {
    let home = Home::new();
    let script = "trap 'echo told; exit 3' TERM; echo ready; while :; do sleep 0.05; done";
    let mut command = home.berth("registry.example.com");
    let mut process = command.args(["-q", "--", "sh", "-c", script]).stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(process.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    assert!(std::process::Command::new("kill").arg(process.id().to_string()).status().unwrap().success());
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert_eq!((rest.as_str(), process.wait().unwrap().code()), ("told\n", Some(3)));
}

#[test]
fn a_signal_lets_what_is_under_way_finish() {
    for signal in ["TERM", "INT"] {
        let home = Home::new();
        let gateway = home.start("registry.example.com");
        let mut stream = TcpStream::connect(&gateway.host).unwrap();
        let host = gateway.host.clone();
        write!(stream, "POST /v2/app/blobs/uploads/ HTTP/1.1\r\nhost: {host}\r\n\r\n").unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut location = String::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if let Some(url) = line.strip_prefix("location: ") {
                location = url.trim().split_once(&host).unwrap().1.to_owned();
            }
            if line == "\r\n" {
                break;
            }
        }
        let head = "transfer-encoding: chunked\r\nexpect: 100-continue\r\nconnection: close";
        write!(stream, "PATCH {location} HTTP/1.1\r\nhost: {host}\r\n{head}\r\n\r\n").unwrap();
        let mut told = String::new();
        reader.read_line(&mut told).unwrap();
        assert_eq!(told, "HTTP/1.1 100 Continue\r\n");

        gateway.signal(signal);
        while TcpStream::connect(&host).is_ok() {} // until it takes no more
        write!(stream, "4\r\ntest\r\n0\r\n\r\n").unwrap();
        let mut answer = String::new();
        reader.read_to_string(&mut answer).unwrap();
        assert!(answer.contains("HTTP/1.1 202 "), "{answer}");
        let (code, complaints) = gateway.end();
        assert_eq!((code, complaints.as_str()), (Some(0), ""));
    }
}

#[test]
fn it_is_ready_at_once() {
    let home = Home::new();
    let fastest = (0..5).map(|_| {
        let began = Instant::now();
        let gateway = home.start("registry.example.com");
        let ready = began.elapsed();
        drop(gateway);
        ready
    });
    println!("from its start to its line: {:?} at best, without optimization", fastest.min().unwrap());
}

#[test]
fn what_it_cannot_do_is_said_in_a_line() {
    let home = Home::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (arguments, code, said) in [
        (vec!["--to", "registry.example.com", "--addr", &address], 1, "--addr HOST:PORT chooses another address"),
        (vec!["--to", "registry example"], 2, "names no registry"),
        (vec!["--to", "r.example", "--addr", "127.0.0.1:0", "--allow-host", "a b"], 1, "names no host"),
        (vec![], 2, "--to <HOST>"),
    ] {
        let output = home.command(env!("CARGO_BIN_EXE_berth")).arg("gateway").args(&arguments).output().unwrap();
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{complaint}");
        assert!(complaint.contains(said), "{complaint}");
    }
}
