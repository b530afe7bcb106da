//! Text that nobody would write in good faith.

use std::time::{Duration, Instant};

use berth::config::{Config, keys};
use proptest::prelude::*;

use crate::parse;

#[test]
fn what_would_take_too_much_is_refused() {
    let mut bomb = "version: 0.1\na: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (name, before) in ["b", "c", "d", "e", "f", "g", "h", "i"].into_iter().zip('a'..) {
        bomb += &format!("{name}: &{name} [{}]\n", vec![format!("*{before}"); 9].join(", "));
    }
    let nested: String = (0..300).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    let began = Instant::now();
    for (text, message) in [
        (bomb, "config.yml:6: not readable as YAML: larger or deeper than is read"),
        (nested, "config.yml:17: not readable as YAML: larger or deeper than is read"),
        ("[".repeat(200_000), "config.yml:1: not readable as YAML: recursion limit exceeded"),
        ("- x\n".repeat(60_000), "config.yml:20000: not readable as YAML: larger or deeper than is read"),
        ("x".repeat(1 << 20), "config.yml: not readable as YAML: longer than 256 KiB"),
    ] {
        assert_eq!(parse(&text).unwrap_err(), message);
    }
    // Without limits the first would take hours.
    assert!(began.elapsed() < Duration::from_secs(30));
}

/// Text that is nearly a configuration.
fn nearly() -> impl Strategy<Value = String> {
    let names = keys().flat_map(|key| key.split('.')).collect::<Vec<_>>();
    let marks =
        ["\n", "\n  ", "\n    ", "{", "}", "[", "]", ", ", "- ", "'", "&a ", "*a", "<<: ", "---\n", "!!int ", "# "];
    let piece = prop_oneof![
        proptest::sample::select(names).prop_map(|name| format!("{name}: ")),
        proptest::sample::select(marks.to_vec()).prop_map(str::to_owned),
        "[ -~é\u{0}]{0,4}",
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics_and_every_error_is_one_line(
        text in prop_oneof![any::<String>(), nearly(), nearly().prop_map(|text| format!("version: 0.1\n{text}"))],
    ) {
        if let Err(error) = parse(&text) {
            prop_assert!(error.starts_with("config.yml"), "{}", error);
            prop_assert!(!error.contains(char::is_control), "{:?}", error);
            prop_assert!(error.len() < 4096, "{}", error);
        }
    }

    #[test]
    fn no_variable_panics_and_every_error_is_one_line(
        names in proptest::collection::vec(proptest::sample::select(keys().collect::<Vec<_>>()), 0..4),
        tail in "[A-Z_0-9é.-]{0,6}",
        value in prop_oneof![any::<String>(), nearly()],
    ) {
        let name = |key: &str| format!("REGISTRY_{}{tail}", key.to_ascii_uppercase().replace('.', "_"));
        let variables: Vec<_> = names.into_iter().map(|key| (name(key), value.clone())).collect();
        if let Err(error) = Config::load(None, variables) {
            prop_assert!(!error.to_string().contains(char::is_control), "{:?}", error);
        }
    }
}
