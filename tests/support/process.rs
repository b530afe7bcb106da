//! The real binary, as a user starts it.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
};

/// A running `berth serve`. It is told to stop when it is dropped.
pub(crate) struct Served {
    child: Child,
    /// Where it listens.
    pub host: String,
}

impl Served {
    /// Starts `berth serve` with the configuration `yaml`, kept in `folder`, on a free port.
    pub(crate) fn start(folder: &Path, yaml: &str) -> Self {
        Self::spawn(folder, yaml, Command::new(env!("CARGO_BIN_EXE_berth")).args(["serve", "--addr", "127.0.0.1:0"]))
    }

    /// The same at `address`, with `variables` in its environment; its log is appended to `folder/log`.
    pub(crate) fn start_at(folder: &Path, yaml: &str, address: &str, variables: &[(&str, String)]) -> Self {
        let log = File::options().create(true).append(true).open(folder.join("log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_berth"));
        command.args(["serve", "--addr", address]).envs(variables.iter().cloned()).stderr(log);
        Self::spawn(folder, yaml, &mut command)
    }

    fn spawn(folder: &Path, yaml: &str, command: &mut Command) -> Self {
        let file = folder.join(format!("{}.yml", uuid()));
        std::fs::write(&file, yaml).unwrap();
        let mut child = command.arg("--config").arg(&file).stdout(Stdio::piped()).spawn().unwrap();
        // The first line says where it serves.
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let host = line.split_whitespace().find_map(|word| word.strip_prefix("http://"));
        let host = host.unwrap_or_else(|| panic!("no address in {line:?}")).trim_end_matches([',', '/']).to_owned();
        Self { child, host }
    }

    /// Asks it to stop, as a service manager does.
    pub(crate) fn terminate(&self) {
        let told = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(told.success());
    }

    /// Waits for its end; its exit code.
    pub(crate) fn wait(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// The most memory that it has had resident so far, in bytes (proc(5), `VmHWM`).
    pub(crate) fn peak_resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux says VmHWM");
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    }
}

/// An address of this machine that was free a moment ago, for a registry that has to be told beforehand by which it is
/// reached.
pub(crate) fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// A name that no other test uses.
fn uuid() -> String {
    uuid::Uuid::new_v4().to_string()
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
