//! Permissions that have not arrived everywhere yet.

use std::time::{Duration, Instant};

use crate::{distribution::BackendErrorKind, storage::EdgeSecretsError};

/// How long a denial may mean that a role which was just made is not known everywhere ("Changes that I make are not always
/// immediately visible", IAM User Guide).
pub(super) const PROPAGATION: Duration = Duration::from_secs(40);

/// The first pause before another attempt; each is twice as long as the one before it.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What `work` comes to; again and again while storage denies access, until `until`. `now` and `pause` are the clock.
pub(super) async fn while_denied<T, W, P>(
    until: Instant,
    now: impl Fn() -> Instant,
    mut pause: impl FnMut(Duration) -> P,
    mut work: impl FnMut() -> W,
) -> Result<T, EdgeSecretsError>
where
    W: Future<Output = Result<T, EdgeSecretsError>>,
    P: Future<Output = ()>,
{
    let mut next = FIRST_PAUSE;
    loop {
        let done = work().await;
        let is_denied = matches!(
            &done, Err(EdgeSecretsError::Backend(error)) if error.kind == BackendErrorKind::Denied
        );
        if !is_denied || now() + next >= until {
            return done;
        }
        pause(next).await;
        next = (next * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::distribution::BackendError;

    fn failure(kind: BackendErrorKind) -> EdgeSecretsError {
        BackendError::new(kind, "in this test").into()
    }

    /// How often `work` is done with `time` for it, and how long that takes, where each attempt takes a second.
    async fn played(time: u64, work: impl Fn(u32) -> Result<(), EdgeSecretsError>) -> (u32, u64, bool) {
        let began = Instant::now();
        let clock = Cell::new(began);
        let attempts = Cell::new(0);
        let done = while_denied(
            began + Duration::from_secs(time),
            || clock.get(),
            |pause| std::future::ready(clock.set(clock.get() + pause)),
            || {
                clock.set(clock.get() + Duration::from_secs(1));
                attempts.set(attempts.get() + 1);
                std::future::ready(work(attempts.get()))
            },
        );
        let done = done.await;
        (attempts.get(), (clock.get() - began).as_secs(), done.is_ok())
    }

    #[tokio::test]
    async fn a_denial_is_waited_out_for_so_long_and_no_longer() {
        let denied = |_| Err(failure(BackendErrorKind::Denied));
        let (attempts, seconds, done) = played(40, denied).await;
        assert!((8..=12).contains(&attempts) && (34..=41).contains(&seconds) && !done, "{attempts} in {seconds} s");
        // What the function's deadline leaves counts, where that is less.
        let (_, seconds, done) = played(3, denied).await;
        assert!(seconds <= 4 && !done, "{seconds}");
        assert_eq!(played(0, denied).await, (1, 1, false));
    }

    #[tokio::test]
    async fn a_permission_that_arrives_is_used_and_other_failures_are_told_at_once() {
        let third = |attempt| if attempt < 3 { Err(failure(BackendErrorKind::Denied)) } else { Ok(()) };
        assert_eq!(played(40, third).await, (3, 3, true));
        for kind in [BackendErrorKind::Failed, BackendErrorKind::Timeout, BackendErrorKind::Throttled] {
            assert_eq!(played(40, |_| Err(failure(kind))).await, (1, 1, false));
        }
        assert_eq!(played(40, |_| Err(EdgeSecretsError::Version)).await, (1, 1, false));
    }
}
