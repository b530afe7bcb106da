//! How long a key works, as people write it.

use std::time::Duration;

/// Reads a whole number with its unit: `90d`, `12h`, `30m`, `2w`.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || "allowed: a whole number with one of m, h, d, w behind it, as in 90d".to_owned();
    let unit = match text.chars().last() {
        Some('m') => 60,
        Some('h') => 60 * 60,
        Some('d') => 24 * 60 * 60,
        Some('w') => 7 * 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    // The unit is one byte. `parse` alone would take a sign.
    let number = &text[..text.len() - 1];
    let seconds = number.parse::<u64>().ok().filter(|_| number.bytes().all(|byte| byte.is_ascii_digit()));
    seconds
        .and_then(|count| count.checked_mul(unit))
        .filter(|seconds| *seconds > 0)
        .map(Duration::from_secs)
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_units() {
        for (text, seconds) in [
            ("90d", Some(7_776_000)),
            ("12h", Some(43_200)),
            ("1m", Some(60)),
            ("2w", Some(1_209_600)),
            ("0d", None),
            ("90", None),
            ("d", None),
            ("+1d", None),
            ("1.5d", None),
            ("9999999999999999999w", None),
            ("1\u{e9}", None),
            ("", None),
        ] {
            assert_eq!(parse(text).ok().map(|life| life.as_secs()), seconds, "{text}");
        }
    }
}
