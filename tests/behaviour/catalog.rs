//! The list of repositories. Others may be in the registry, and come and go.

use berth::{distribution::Paging, name::RepositoryName};

use crate::{
    content::{noise, put_image},
    subject::Subject,
};

pub(crate) async fn repositories_are_listed_in_order_and_in_parts(subject: &Subject) {
    let ctx = &subject.ctx;
    let names: Vec<RepositoryName> =
        ["catalog", "catalog/a", "catalog/b", "catalog/b/c"].iter().map(|name| subject.name(name)).collect();
    for name in names.iter().rev() {
        put_image(ctx, &subject.registry.repository(name), &noise(1, 1000), &["v1"]).await;
    }
    let all = subject.registry.repositories(ctx, &Paging::default()).await.unwrap();
    assert!(!all.more && all.entries.is_sorted(), "{all:?}");
    let ours: Vec<&RepositoryName> = all.entries.iter().filter(|name| names.contains(name)).collect();
    assert_eq!(ours, names.iter().collect::<Vec<_>>());

    let paging = Paging { limit: Some(2), after: Some(names[0].to_string()) };
    let page = subject.registry.repositories(ctx, &paging).await.unwrap();
    assert_eq!((page.entries, page.more), (names[1..3].to_vec(), true));
}
