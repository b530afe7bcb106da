//! The floors of the crate: a file imports only from lower floors and from its own room, which is a file of `src/`
//! with the folder of the same name. `src/lib.rs` names the rooms and `src/bin/` stands above them all.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail

use std::{fmt, fs, path::Path};

/// The rooms of each floor, the lowest first. `src/lib.rs` says what each is for.
const FLOORS: &[&[&str]] = &[
    &["context", "digest"],
    &["descriptor", "name"],
    &["manifest"],
    &["distribution"],
    &["aws", "rotation"],
    &["api", "auth", "cache", "config", "driver"],
    &["client", "notifications", "storage"],
    &["http", "logging", "maintenance", "transfer"],
    &["gateway", "wire"],
    &["lambda"],
];

/// An import that the floors do not allow.
#[derive(Debug, PartialEq, Eq)]
struct Upward {
    file: String,
    line: usize,
    from: String,
    to: String,
}

impl fmt::Display for Upward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, from, to } = self;
        match (floor(from), floor(to)) {
            (None, _) => write!(f, "{file}:{line}: room {from} is on no floor: give it one in tests/floors.rs"),
            (_, None) => write!(f, "{file}:{line}: imports crate::{to}, which is on no floor"),
            _ => write!(f, "{file}:{line}: {from} imports crate::{to}, which is not on a lower floor"),
        }
    }
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// The imports of `text`, the content of `file` (a path below `src/`), that the floors do not allow.
fn upward(file: &str, text: &str) -> Vec<Upward> {
    let modules: Vec<&str> = file.trim_end_matches(".rs").split('/').collect();
    let from = modules[0];
    let code = without_comments(text);
    imports(&code, modules.len())
        .into_iter()
        .filter(|(_, to)| to != from && (floor(from).is_none() || floor(to).is_none_or(|to| Some(to) >= floor(from))))
        .map(|(at, to)| Upward {
            file: format!("src/{file}"),
            line: code[..at].matches('\n').count() + 1,
            from: from.to_owned(),
            to,
        })
        .collect()
}

/// `text` without its line comments; each line keeps its number.
fn without_comments(text: &str) -> String {
    let code = |line: &str| match line.match_indices("//").find(|(at, _)| !line[..*at].ends_with(':')) {
        Some((at, _)) => line[..at].to_owned(),
        None => line.to_owned(),
    };
    text.lines().map(code).collect::<Vec<_>>().join("\n")
}

/// What `code` names directly below the root of the crate, and where in `code`: after `crate::`, or after so many
/// `super::` that they leave a file which lies `depth` modules below the root.
fn imports(code: &str, depth: usize) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::").filter(|(at, _)| starts_a_path(code, *at)) {
        named(code, at + "crate::".len(), &mut found);
    }
    for (at, _) in code.match_indices("super::").filter(|(at, _)| starts_a_path(code, *at)) {
        let rest = &code[at..];
        let below = rest.trim_start_matches("super::");
        let supers = (rest.len() - below.len()) / "super::".len();
        // A module within the file, as tests are, is one deeper.
        let inside = usize::from(code[..at].lines().any(|line| line.trim_end().ends_with('{') && is_module(line)));
        if supers >= depth + inside {
            named(code, code.len() - below.len(), &mut found);
        }
    }
    found
}

/// Whether the path at `at` begins there, rather than being the end of a longer one.
fn starts_a_path(code: &str, at: usize) -> bool {
    !code[..at].ends_with(|before: char| before.is_alphanumeric() || "_:$".contains(before))
}

fn is_module(line: &str) -> bool {
    line.split_whitespace().any(|word| word == "mod")
}

/// Adds the name that stands at `at`, or the first name of each path of the group that begins there.
fn named(code: &str, at: usize, found: &mut Vec<(usize, String)>) {
    let name = |at: usize| {
        let rest = &code[at..];
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        // A glob takes everything, so it is on no floor.
        (at, if end == 0 { "*".to_owned() } else { rest[..end].to_owned() })
    };
    if !code[at..].starts_with('{') {
        found.push(name(at));
        return;
    }
    let (mut nesting, mut is_first) = (0, false);
    for (offset, character) in code[at..].char_indices() {
        match character {
            '{' => nesting += 1,
            '}' if nesting == 1 => return,
            '}' => nesting -= 1,
            _ => {}
        }
        match character {
            '{' | ',' if nesting == 1 => is_first = true,
            _ if is_first && !character.is_whitespace() => {
                found.push(name(at + offset));
                is_first = false;
            }
            _ => {}
        }
    }
}

/// The files of rooms below `folder`, by their path below `src/`, each with its content.
fn sources(folder: &Path, below: &str, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = format!("{below}{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            sources(&entry.path(), &format!("{name}/"), found);
        } else if name.ends_with(".rs") && name != "lib.rs" && !name.starts_with("bin/") {
            found.push((name, fs::read_to_string(entry.path()).unwrap()));
        }
    }
}

#[test]
fn no_import_runs_upward() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut files);
    assert!(files.iter().any(|(file, _)| file == "storage/blob_store.rs"), "the sources are where they are sought");
    for (file, _) in &files {
        let room = file.split(['/', '.']).next().unwrap_or_default();
        assert!(floor(room).is_some(), "src/{file}: room {room} is on no floor: give it one in tests/floors.rs");
    }
    let found: Vec<String> =
        files.iter().flat_map(|(file, text)| upward(file, text)).map(|upward| upward.to_string()).collect();
    assert!(found.is_empty(), "imports run upward:\n{}", found.join("\n"));
}

#[test]
fn an_upward_import_is_found() {
    let found = |file: &str, text: &str| {
        upward(file, text).into_iter().map(|upward| format!("{}:{}", upward.line, upward.to)).collect::<Vec<_>>()
    };
    for (text, expected) in [
        ("use crate::storage;", "1:storage"),
        ("use crate::storage::StorageRegistry as Registry;", "1:storage"),
        (
            "\n\nuse crate::{\n    digest::{Digest, crate_like},\n    http::{self, Router},\n    name::Tag,\n};",
            "5:http",
        ),
        ("fn wired() -> crate::wire::Wired { todo!() }", "1:wire"),
        ("pub use ::berth; use crate::cache::LinkSet;", "1:cache"),
        ("use super::super::cache;", "1:cache"),
        ("mod tests {\n    use super::super::super::{cache, digest};\n}", "2:cache"),
        ("use crate::*;", "1:*"),
        ("use crate::cellar::Wine;", "1:cellar"),
        ("let url = \"https://a\"; crate::client::push(url)", "1:client"),
    ] {
        assert_eq!(found("driver/s3.rs", text), [expected], "{text}");
    }
    for text in [
        "use crate::{context::Context, digest::{Digest, Hasher}, distribution::Content};",
        "use crate::driver::Path;\nuse crate::aws;",
        "use super::cache;\nuse super::path::Path;",
        "mod tests {\n    use super::super::cache;\n    use super::*;\n}",
        "// use crate::http;\n/// See [`crate::wire`].",
        "pub(in crate::driver) fn inside() {}",
        "macro_rules! m { () => { $crate::http::x() } }",
        "use other_crate::storage;",
    ] {
        assert_eq!(found("driver/s3.rs", text), [""; 0], "{text}");
    }
    assert_eq!(found("cellar.rs", "use crate::digest::Digest;"), ["1:digest"], "a room on no floor");
    assert_eq!(
        upward("driver.rs", "\nuse super::cache;")[0].to_string(),
        "src/driver.rs:2: driver imports crate::cache, which is not on a lower floor"
    );
}
