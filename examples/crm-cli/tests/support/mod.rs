//! What the tests of the command line share: one file, one fake CRM, and what a command printed.

#![allow(dead_code, reason = "each test binary takes what it needs")]

use std::process::Output;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// A user's file and the CRM beside it.
pub(crate) struct Desk<C> {
    pub(crate) crm: C,
    connector: &'static str,
    base_url: String,
    token: String,
    folder: TempDir,
}

impl<C> Desk<C> {
    pub(crate) fn new(connector: &'static str, crm: C, base_url: String, token: String) -> Self {
        Self { crm, connector, base_url, token, folder: TempDir::new().unwrap() }
    }

    /// A command on this desk's file.
    pub(crate) fn local(&self, arguments: &[&str]) -> Output {
        let mut command = Command::cargo_bin("crm-cli").unwrap();
        command.args(arguments).arg("--db").arg(self.folder.path().join("host.db")).arg("--json");
        command.env("CRM_TOKEN", &self.token).output().unwrap()
    }

    /// A command on this desk's file and CRM: its status, its summary and what it complained of.
    pub(crate) fn run(&self, arguments: &[&str]) -> (i32, Value, String) {
        let output = self.local(&[arguments, &["--connector", self.connector, "--base-url", &self.base_url]].concat());
        let errors = String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap(), last_line(&output.stdout), errors)
    }

    /// The same, which must succeed.
    pub(crate) fn summary(&self, arguments: &[&str]) -> Value {
        let (status, summary, errors) = self.run(arguments);
        assert_eq!(status, 0, "{summary} {errors}");
        let parts = counts(&summary, &["created", "updated", "unchanged", "skipped", "failed", "deleted"]);
        assert_eq!(counts(&summary, &["read"]), [parts.iter().sum::<u64>()], "{summary}");
        summary
    }

    /// Adds a local record and gives its id.
    pub(crate) fn add(&self, resource: &str, fields: &[&str]) -> String {
        let sets: Vec<&str> = fields.iter().flat_map(|field| ["--set", field]).collect();
        let output = self.local(&[&["add", "--resource", resource], sets.as_slice()].concat());
        last_line(&output.stdout)["id"].as_str().expect("the new record's id").to_owned()
    }
}

/// The JSON of the last line printed.
pub(crate) fn last_line(output: &[u8]) -> Value {
    let text = std::str::from_utf8(output).unwrap();
    text.lines().next_back().map_or(Value::Null, |line| serde_json::from_str(line).unwrap())
}

/// The named counts of a summary.
pub(crate) fn counts(summary: &Value, names: &[&str]) -> Vec<u64> {
    names.iter().map(|name| summary[name].as_u64().unwrap()).collect()
}
