//! The file itself.

use berth_local::edge::{CODE_LIMIT, EdgeFunction, Event};

use super::event::*;

/// With a root directory as long as anybody's; `make check` prints the size (`tests/template`).
#[test]
fn it_is_small_enough() {
    let code = code(&format!("{}/", "f".repeat(255)), false);
    println!("{} of {CODE_LIMIT} bytes", code.len());
    assert!(EdgeFunction::load(code).is_ok());
}

#[test]
fn the_template_has_it() {
    let template = std::fs::read_to_string("template.yaml").unwrap();
    let file = std::fs::read_to_string(FILE).unwrap();
    let indented: Vec<_> =
        file.lines().map(|line| if line.is_empty() { String::new() } else { format!("          {line}") }).collect();
    assert!(template.contains(&indented.join("\n")), "template.yaml has another function: make edge-function");
}

/// CloudFront ends a function that takes too long; this one has no loop over what comes from outside but over headers.
#[test]
fn it_takes_little_of_what_it_may() {
    let mut event = closing(LAMBDA + 1);
    for number in 0..100 {
        event["request"]["headers"][format!("x-header-{number}")] = serde_json::json!({ "value": "v".repeat(100) });
    }
    let ran = function().run(&Event::parse(&event.to_string()).unwrap());
    assert!(ran.outcome.is_ok());
    assert!(ran.utilization < 20, "{} %", ran.utilization);
}
