//! The suite: every check, on one registry.

use std::{future::Future, pin::Pin, sync::Arc};

use crate::{blobs, catalog, manifests, mounts, referrers, signatures, subject::Subject, tags, uploads};

type Check = fn(Arc<Subject>) -> Pin<Box<dyn Future<Output = ()> + Send>>;

macro_rules! checks {
    ($($about:ident::$check:ident,)*) => {
        const CHECKS: &[(&str, Check)] =
            &[$((stringify!($check), |subject| Box::pin(async move { $about::$check(&subject).await }))),*];
    };
}

checks! {
    blobs::what_is_put_is_read_back,
    blobs::parts_are_read,
    blobs::the_empty_blob_is_a_blob,
    blobs::what_is_not_there_is_unknown,
    blobs::no_more_than_the_limit_is_taken,
    blobs::repositories_are_apart,
    blobs::many_are_asked_for_in_their_order,
    blobs::it_is_served_from_somewhere,
    blobs::what_is_deleted_is_unknown,
    blobs::what_is_in_use_stays,
    blobs::another_algorithm_names_the_same_content,
    uploads::all_at_once,
    uploads::in_pieces,
    uploads::the_rest_comes_with_the_close,
    uploads::longer_than_what_is_held_in_memory,
    uploads::another_writer_goes_on,
    uploads::any_earlier_state_goes_on,
    uploads::a_state_is_good_for_its_own_session,
    uploads::what_is_out_of_place_is_refused,
    uploads::a_writer_that_knows_less_is_told,
    uploads::content_of_another_length_is_refused,
    uploads::content_that_breaks_off_is_not_kept,
    uploads::a_wrong_digest_stores_nothing,
    uploads::a_cancelled_session_is_over,
    mounts::from_where_it_is,
    mounts::what_is_not_there_is_sent,
    mounts::from_anywhere,
    manifests::what_is_put_is_got_by_tag_and_digest,
    manifests::an_index_is_as_good,
    manifests::what_is_not_there_is_unknown,
    manifests::all_that_is_missing_is_said,
    manifests::an_index_needs_its_manifests,
    manifests::a_wrong_digest_is_refused,
    manifests::many_tags_are_set_at_once,
    manifests::another_algorithm_names_the_same_manifest,
    manifests::what_is_deleted_is_unknown_by_every_name,
    manifests::what_an_index_names_stays,
    tags::they_are_listed_in_order_and_in_parts,
    tags::one_moves,
    tags::of_an_unknown_repository_there_are_none,
    tags::what_is_not_there_is_unknown,
    tags::removing_one_leaves_the_manifest,
    referrers::they_are_found_by_their_subject,
    referrers::of_one_kind_alone,
    referrers::a_deleted_one_is_gone,
    catalog::repositories_are_listed_in_order_and_in_parts,
    signatures::they_are_kept_beside_a_manifest,
}

/// Runs every check on `subject`, and says which of them failed.
pub(crate) async fn run(subject: Subject) {
    let subject = Arc::new(subject);
    let mut failed = Vec::new();
    for (name, check) in CHECKS {
        // A task of its own, so that the others run when this one panics.
        if tokio::spawn(check(subject.clone())).await.is_err() {
            failed.push(*name);
        }
    }
    let lacks: Vec<String> = subject.lacks().iter().map(ToString::to_string).collect();
    println!(
        "{} checks; without {}",
        CHECKS.len(),
        if lacks.is_empty() { "nothing".to_owned() } else { lacks.join(", ") }
    );
    assert!(failed.is_empty(), "failed: {failed:?}");
}
