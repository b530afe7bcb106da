//! The table of assumptions: what each value changes, and what the README says.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

use std::collections::BTreeSet;
use std::process::Command;

use berth_local::edge::EdgeOptions;
use berth_local::lambda::{DoorOptions, Front, Function};
use berth_local::{ASSUMPTIONS, Assumption, AssumptionError, Assumptions, Options};
use serde_json::{Value, json};

/// Everything that assumptions decide.
fn decided(assumptions: &Assumptions) -> String {
    let doors = [Front::FunctionUrl, Front::HttpApi].map(|front| assumptions.door(front));
    let function = assumptions.function(Function::builder("bootstrap"));
    format!("{doors:?} {function:?} {:?} {:?}", assumptions.edge(), assumptions.emulators())
}

#[test]
fn the_defaults_of_the_library_are_the_default_values() {
    let assumptions = Assumptions::default();
    for front in [Front::FunctionUrl, Front::HttpApi] {
        assert_eq!(assumptions.door(front), DoorOptions { front, ..DoorOptions::default() });
    }
    assert_eq!(assumptions.edge(), EdgeOptions::default());
    assert_eq!(assumptions.emulators(), Options::default());
    let function = Function::builder("bootstrap");
    assert_eq!(format!("{:?}", assumptions.function(function.clone())), format!("{function:?}"));
}

#[test]
fn every_value_changes_something_of_its_own() {
    let mut seen = BTreeSet::from([decided(&Assumptions::default())]);
    for Assumption { name, values, .. } in &ASSUMPTIONS {
        let chosen = |value: &str| Assumptions::default().assume(&format!("{name}={value}")).unwrap();
        assert_eq!(decided(&chosen(values[0])), decided(&Assumptions::default()), "{name}");
        for value in &values[1..] {
            assert_eq!(chosen(value).value(name), *value);
            assert!(seen.insert(decided(&chosen(value))), "{name}={value}");
            let undone = chosen(value).assume(&format!("{name}={}", values[0])).unwrap();
            assert_eq!(decided(&undone), decided(&Assumptions::default()), "the last choice counts");
        }
    }
    assert_eq!(ASSUMPTIONS.iter().map(|one| one.name).collect::<BTreeSet<_>>().len(), ASSUMPTIONS.len());
}

#[test]
fn what_is_no_assumption_is_an_error() {
    let assume = |text| Assumptions::default().assume(text).unwrap_err();
    assert!(matches!(assume("head-length"), AssumptionError::Syntax(_)));
    assert!(matches!(assume("head=none"), AssumptionError::Name { .. }));
    assert!(matches!(assume("head-length=1"), AssumptionError::Value { .. }));
    assert_eq!(
        assume("range-header=lost").to_string(),
        r#"unknown value "lost" of range-header; expected one of: kept, renamed"#
    );
}

#[test]
fn they_are_printed_as_json() {
    let output = Command::new(env!("CARGO_BIN_EXE_lambda-local")).arg("--assumptions").output().unwrap();
    assert!(output.status.success());
    let printed: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(printed.len(), ASSUMPTIONS.len());
    let head = printed.iter().find(|one| one["name"] == "head-length").unwrap();
    assert_eq!(
        (&head["values"], &head["default"], &head["evidence"]),
        (&json!(["computed", "none", "kept"]), &json!("computed"), &json!("assumed"))
    );
    assert!(head["about"].as_str().unwrap().ends_with('.'));
}

#[test]
fn the_readme_has_the_same_table() {
    let readme = include_str!("../README.md");
    for Assumption { name, values, evidence, about } in &ASSUMPTIONS {
        let values = values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ");
        let evidence = serde_json::to_value(evidence).unwrap();
        let row = format!("| `{name}` | {values} | {} | {about} |", evidence.as_str().unwrap());
        assert!(readme.lines().any(|line| line == row), "the table of infra/local/README.md has no row\n{row}");
    }
    let rows = readme.lines().filter(|line| line.ends_with(" |") && line.starts_with("| `")).filter(|line| {
        ["| observed |", "| documented |", "| assumed |"].iter().any(|evidence| line.contains(evidence))
    });
    assert_eq!(rows.count(), ASSUMPTIONS.len(), "the README has a row that is no assumption");
}
