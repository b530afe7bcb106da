//! What the kernel says of a process ("proc_pid_status(5)").

use std::fs;

/// Bytes that a process holds in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Memory {
    /// Now (`VmRSS`).
    pub(super) resident: Option<u64>,
    /// At most so far (`VmHWM`).
    pub(super) peak: Option<u64>,
}

impl Memory {
    /// Of process `pid`; nothing where there is no such process or no `/proc`.
    pub(super) fn of(pid: u32) -> Self {
        let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else { return Self::default() };
        Self { resident: kilobytes(&status, "VmRSS:"), peak: kilobytes(&status, "VmHWM:") }
    }
}

fn kilobytes(status: &str, name: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix(name))?;
    Some(value.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? << 10)
}
