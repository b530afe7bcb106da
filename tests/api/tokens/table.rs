//! The table of `access.rs` once more, by clients that do what challenges ask of them.

use super::{ask, bearer, forge::Hands, get, set_up};
use crate::{
    access::{RULES, Wants, Who, may, routes},
    client::Answer,
    registry::{Registry, Setup},
};

/// The answer to `who`, after they got the token that the first answer asked for; `None` if they are given none.
async fn answer(registry: &Registry, who: Who, method: &str, target: &str) -> Option<Answer> {
    let first = ask(registry, method, target, None).await;
    if first.status != 401 {
        return Some(first);
    }
    let challenge = first.header("www-authenticate");
    let said = |key: &str| {
        let (_, rest) = challenge.split_once(&format!("{key}=\""))?;
        rest.split_once('"').map(|(value, _)| value)
    };
    assert_eq!(said("realm"), Some(format!("http://{}/token", registry.addr).as_str()));
    let query =
        format!("service={}&scope={}", said("service").unwrap(), said("scope").unwrap_or_default().replace(' ', "%20"));
    let issued = get(registry, &query, who.login().as_deref()).await;
    if issued.status == 401 {
        return None;
    }
    Some(ask(registry, method, target, Some(&bearer(&issued))).await)
}

#[tokio::test]
async fn by_tokens_everybody_may_what_they_may_by_password() {
    let registry = set_up(&Hands::new(), Some(RULES), Setup::default()).start().await;
    get(&registry, "", None).await.is(200); // the keys are known
    let (mut allowed, mut refused) = (0, 0);
    for repository in ["team/app", "teams", "home/alice/x", "home/bob/x", "public/base", "inbox"] {
        for (method, target, wants) in routes(repository) {
            for who in Who::ALL {
                let before = registry.driver.calls();
                let answer = answer(&registry, who, method.as_str(), &target).await;
                let asked = registry.driver.calls() - before;
                let said = format!("{who:?} {method} {target}: {answer:?}");
                // A token is login enough, and nobody in particular may have one.
                let may_open = who == Who::Nobody && wants == Wants::Login;
                // Who is nobody may ask without a token what nobody may.
                let is_public = may(Who::Nobody, wants, repository);
                if may(who, wants, repository) || may_open || is_public {
                    assert!(answer.is_some_and(|answer| ![401, 403].contains(&answer.status)), "{said}");
                    allowed += 1;
                    continue;
                }
                refused += 1;
                let expected = match who {
                    Who::Mallory => None,
                    Who::Nobody => Some(401),
                    Who::Alice | Who::Bob => Some(403),
                };
                assert_eq!(answer.map(|answer| answer.status), expected, "{said}");
                assert_eq!(asked, 0, "storage was asked: {said}");
            }
        }
    }
    assert!(allowed > 100 && refused > 200, "{allowed} {refused}");
}
