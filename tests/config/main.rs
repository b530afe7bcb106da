//! Configuration: what is taken, what is refused and in which words, what overrides what.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail

mod environment;
mod files;
mod hostile;
mod refused;
mod taken;

use std::{fs, path::Path};

use berth::config::{Config, keys};

fn parse(text: &str) -> Result<Config, String> {
    Config::parse("config.yml", text, []).map_err(|error| error.to_string())
}

fn pairs<const N: usize>(variables: [(&str, &str); N]) -> Vec<(String, String)> {
    variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn overridden<const N: usize>(text: &str, variables: [(&str, &str); N]) -> Result<Config, String> {
    Config::parse("config.yml", text, pairs(variables)).map_err(|error| error.to_string())
}

fn environment<const N: usize>(variables: [(&str, &str); N]) -> Result<Config, String> {
    Config::load(None, pairs(variables)).map_err(|error| error.to_string())
}

fn header<'a>(config: &'a Config, name: &str) -> Vec<&'a str> {
    config.http.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
}

#[test]
fn every_key_is_documented() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = ["README.md", "docs-config.md"].map(|page| fs::read_to_string(root.join(page)).unwrap_or_default());
    for key in keys() {
        assert!(pages.iter().any(|page| page.contains(&format!("`{key}`"))), "{key} is in no table");
    }
}
