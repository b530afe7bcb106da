//! The file itself.

use berth_local::edge::{CODE_LIMIT, EdgeFunction, Event};

use super::event::*;

/// With parameters as long as the template allows; `make check` prints the size (`tests/template`).
#[test]
fn it_is_small_enough() {
    let (root, domain) = (format!("{}/", "f".repeat(255)), "d".repeat(253));
    let code = code(&Parameters { root: &root, domain: &domain, anonymous: false });
    println!("{} of {CODE_LIMIT} bytes", code.len());
    assert!(EdgeFunction::load(code).is_ok());
}

/// CloudFormation takes `${NAME}` for a parameter wherever it stands.
#[test]
fn it_names_the_parameters_of_the_template_and_no_others() {
    let code = embedded();
    let mut names: Vec<_> =
        code.split("${").skip(1).map(|rest| rest.split_once('}').map_or(rest, |(name, _)| name)).collect();
    names.sort_unstable();
    assert_eq!(names, ["Anonymous", "DomainName", "LargestLayer", "RootDirectory"]);
}

#[test]
fn the_template_has_it() {
    let template = std::fs::read_to_string("template.yaml").unwrap();
    let lines: Vec<_> = template.lines().map(|line| line.trim_start_matches(' ')).collect();
    assert!(lines.join("\n").contains(&embedded()), "template.yaml has another function: make edge-function");
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
