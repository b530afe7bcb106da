//! One run of `berth doctor`, and its results.

use serde_json::Value;

use crate::desk::{Desk, Ended};

/// What it found.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) ended: Ended,
    checks: Vec<Value>,
}

impl Desk {
    /// `berth doctor` at `host`, as alice.
    pub(crate) fn doctor_as_alice(&self, host: &str, arguments: &[&str]) -> Report {
        let login = ["--username", "alice", "--password-stdin"];
        self.doctor(host, &[&login, arguments].concat(), "wonderland\n")
    }

    /// `berth doctor` at `host`, with `input` on standard input.
    pub(crate) fn doctor(&self, host: &str, arguments: &[&str], input: &str) -> Report {
        let arguments = [&["doctor", host, "--json"], arguments].concat();
        let ended = tokio::task::block_in_place(|| self.berth(&arguments, input));
        assert!(!ended.said.contains("wonderland"), "{}", ended.said);
        let document: Value = serde_json::from_str(&ended.said).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
        let checks = document["checks"].as_array().unwrap().clone();
        let failed = checks.iter().any(|check| check["status"] == "failed");
        assert_eq!((ended.code, document["ok"].as_bool()), (Some(i32::from(failed)), Some(!failed)), "{ended:?}");
        assert_eq!(ended.complained, "");
        assert_eq!(document["registry"], host);
        Report { ended, checks }
    }
}

impl Report {
    fn check(&self, name: &str) -> &Value {
        let found = self.checks.iter().find(|check| check["name"] == name);
        found.unwrap_or_else(|| panic!("no check {name}: {:?}", self.checks))
    }

    fn has(&self, name: &str, status: &str) -> &str {
        let check = self.check(name);
        assert_eq!(check["status"], status, "{check:#}\n{}", self.ended.said);
        assert_eq!(check["fix"].is_string(), status == "failed", "{check:#}");
        check["detail"].as_str().unwrap()
    }

    /// That check `name` passed; its detail.
    pub(crate) fn ok(&self, name: &str) -> &str {
        self.has(name, "ok")
    }

    /// That check `name` was skipped; why.
    pub(crate) fn skipped(&self, name: &str) -> &str {
        self.has(name, "skipped")
    }

    /// That check `name`, and no other, failed, and that its problem holds `problem` and its fix `fix`.
    #[track_caller]
    pub(crate) fn fails(&self, name: &str, problem: &str, fix: &str) {
        assert_eq!(self.failed(), [name], "{}", self.ended.said);
        let check = self.check(name);
        let (detail, said) = (check["detail"].as_str().unwrap(), check["fix"].as_str().unwrap());
        assert!(detail.contains(problem), "no {problem:?} in: {detail}");
        assert!(said.contains(fix), "no {fix:?} in: {said}");
    }

    /// The names of the checks that failed.
    pub(crate) fn failed(&self) -> Vec<&str> {
        let failed = self.checks.iter().filter(|check| check["status"] == "failed");
        failed.map(|check| check["name"].as_str().unwrap()).collect()
    }
}
