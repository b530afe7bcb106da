//! Lengths of time, as distribution writes them (Go's `time.ParseDuration`): `168h`, `1h30m`, `90s`.

use std::time::Duration;

/// The time that `text` says; `None` when it says none, or one beyond all measure.
pub(super) fn read(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut sum = None;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, behind) = rest.split_at(digits);
        let (unit, behind) = behind.split_at(behind.find(|c: char| c.is_ascii_digit()).unwrap_or(behind.len()));
        let seconds = match unit {
            "h" => 3600,
            "m" => 60,
            "s" => 1,
            _ => return None,
        };
        let part = Duration::from_secs(number.parse::<u64>().ok()?.checked_mul(seconds)?);
        sum = Some(sum.unwrap_or(Duration::ZERO).checked_add(part)?);
        rest = behind;
    }
    sum
}
