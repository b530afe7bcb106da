//! Whether this machine's clock agrees with the registry's: passwords made from AWS credentials hold the time of signing.

use http::{HeaderMap, header};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc2822};

use super::{probe::Probe, record::Finding};

/// How far apart the clocks may be ("Troubleshoot Signature Version 4 signing": AWS accepts five minutes).
const LIMIT: Duration = Duration::minutes(5);
/// Differences that `Date` cannot show, since it has whole seconds and the answer was on its way.
const NOISE: Duration = Duration::seconds(2);

pub(super) async fn check(probe: Option<&Probe>) -> Finding {
    let Some(probe) = probe else { return Finding::Skipped("there was no answer".to_owned()) };
    let Some(theirs) = date(&probe.headers) else {
        return Finding::Skipped("the answer has no header Date".to_owned());
    };
    judge(OffsetDateTime::from(probe.received) - theirs)
}

/// `ahead` is how far this machine's clock is ahead of the registry's.
fn judge(ahead: Duration) -> Finding {
    let apart = ahead.abs();
    let difference = format!("{} s", apart.whole_seconds());
    let side = if ahead.is_negative() { "behind" } else { "ahead of" };
    if apart < NOISE {
        return Finding::Ok("this machine's clock agrees with the registry's".to_owned());
    }
    let found = format!("this machine's clock is {difference} {side} the registry's");
    match apart < LIMIT {
        true => Finding::Ok(found),
        false => Finding::failed(
            format!("{found}; AWS refuses what is signed more than {} s apart", LIMIT.whole_seconds()),
            "set the clock of this machine: turn on NTP (`timedatectl set-ntp true`)",
        ),
    }
}

/// When the answer was made: caches on the way say how long they have held it (RFC 9111, section 5.1).
fn date(headers: &HeaderMap) -> Option<OffsetDateTime> {
    let text = |name| headers.get(name)?.to_str().ok();
    let date = OffsetDateTime::parse(text(header::DATE)?, &Rfc2822).ok()?;
    let age = text(header::AGE).and_then(|age| age.trim().parse().ok()).unwrap_or(0);
    date.checked_add(Duration::seconds(age))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn five_minutes_are_too_much() {
        for (seconds, part) in [(0, "agrees"), (-1, "agrees"), (299, "299 s ahead of"), (-299, "299 s behind")] {
            let finding = judge(Duration::seconds(seconds));
            assert!(matches!(&finding, Finding::Ok(detail) if detail.contains(part)), "{seconds}: {finding:?}");
        }
        for seconds in [300, -300, 86_400] {
            assert!(matches!(judge(Duration::seconds(seconds)), Finding::Failed { .. }), "{seconds}");
        }
    }

    #[test]
    fn dates_as_http_writes_them() {
        let read = |date: &'static str, age: &'static str| {
            let pairs = [(header::DATE, date), (header::AGE, age)];
            let headers = pairs.map(|(name, value)| (name, HeaderValue::from_static(value))).into_iter().collect();
            super::date(&headers).map(OffsetDateTime::unix_timestamp)
        };
        assert_eq!(read("Sun, 06 Nov 1994 08:49:37 GMT", ""), Some(784_111_777));
        assert_eq!(read("Sun, 06 Nov 1994 08:49:37 GMT", "60"), Some(784_111_837));
        assert_eq!(read("yesterday", "0"), None);
    }
}
