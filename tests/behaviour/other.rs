//! The client and a registry that somebody else made: it runs already, at `BERTH_SUITE_REGISTRY`.

use std::{env, sync::Arc};

use crate::{
    router::client,
    subject::{ALL, Ability, NOT_OVER_HTTP, Subject},
    suite,
};

/// `BERTH_SUITE_LACKS` names what it cannot, by the names in `subject.rs`, with commas between.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a registry: tests/clients/suite starts one"]
async fn the_client_behaves_on_another_registry() {
    let host = env::var("BERTH_SUITE_REGISTRY").expect("BERTH_SUITE_REGISTRY=HOST:PORT");
    let lacks = env::var("BERTH_SUITE_LACKS").unwrap_or_default();
    let ability = |name: &str| ALL.into_iter().find(|one| one.to_string() == name).unwrap_or_else(|| panic!("{name}"));
    let mut lacks: Vec<Ability> = lacks.split(',').filter(|name| !name.is_empty()).map(ability).collect();
    lacks.extend(NOT_OVER_HTTP);
    suite::run(Subject::new(Arc::new(client(&host)), &lacks)).await;
}
