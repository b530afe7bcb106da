//! What the edge of the registry reads: whatever comes in, nothing panics, and what is accepted is what was meant.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed

use std::collections::BTreeSet;

use berth::{
    api::{ContentRange, Query, Ranged, Route},
    digest::{Algorithm, Digest},
    manifest::{Manifest, MediaType, ReferenceKind},
    name::{Reference, RepositoryName, Tag},
};
use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

/// The grammar of the distribution specification, "Pulling manifests".
const NAME: &str =
    "[a-z0-9]{1,8}((\\.|_|__|-{1,3})[a-z0-9]{1,8}){0,3}(/[a-z0-9]{1,8}((\\.|_|__|-{1,3})[a-z0-9]{1,8}){0,3}){0,3}";
const TAG: &str = "[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}";

fn name() -> impl Strategy<Value = RepositoryName> {
    NAME.prop_map(|text| text.parse().expect("a name of the grammar"))
}

fn digest() -> impl Strategy<Value = Digest> {
    (0..3usize, any::<[u8; 8]>()).prop_map(|(algorithm, content)| Digest::of(Algorithm::ALL[algorithm], &content))
}

/// Few enough that a manifest names some of them twice.
fn common_digest() -> impl Strategy<Value = Digest> {
    (0..6u8).prop_map(|content| Digest::canonical(&[content]))
}

fn reference() -> impl Strategy<Value = Reference> {
    let tag = TAG.prop_map(|text| Reference::Tag(text.parse().expect("a tag of the grammar")));
    prop_oneof![tag, digest().prop_map(Reference::Digest)]
}

fn route() -> impl Strategy<Value = Route> {
    prop_oneof![
        Just(Route::Base),
        Just(Route::Catalog),
        name().prop_map(Route::Tags),
        (name(), reference()).prop_map(|(name, reference)| Route::Manifest(name, reference)),
        (name(), digest()).prop_map(|(name, digest)| Route::Blob(name, digest)),
        name().prop_map(Route::Uploads),
        (name(), "[0-9a-f-]{1,36}").prop_map(|(name, id)| Route::Upload(name, id)),
        (name(), digest()).prop_map(|(name, digest)| Route::Referrers(name, digest)),
    ]
}

/// Texts that are nearly names, so that the grammar's edges are met.
fn nearly_a_name() -> impl Strategy<Value = String> {
    proptest::collection::vec(prop_oneof!["[a-z0-9]", "[._/-]", "[._/-]", "[A-Z é\u{0}%~]"], 0..12)
        .prop_map(|parts| parts.concat())
}

/// The grammar again, in other words: separators stand between runs of letters and digits, one at a time.
fn is_name(text: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.len() <= 255
        && text.split('/').all(|component| {
            let is_separator = |text: &str| matches!(text, "." | "_" | "__") || text.trim_matches('-').is_empty();
            component.starts_with(alphanumeric)
                && component.ends_with(alphanumeric)
                && component.split(alphanumeric).filter(|between| !between.is_empty()).all(is_separator)
        })
}

proptest! {
    #[test]
    fn every_route_survives_its_path(route in route()) {
        prop_assert_eq!(Route::parse(&route.to_string()), Ok(route));
    }

    #[test]
    fn no_path_is_taken_for_another(path in "/v2(/[a-zA-Z0-9._:-]{0,9}|/blobs|/uploads|/manifests|/tags/list|/referrers|/_catalog){0,6}/?") {
        if let Ok(route) = Route::parse(&path) {
            // Two spellings are understood beside the one that is built.
            let spellings = [path.clone(), format!("{path}/")];
            prop_assert!(spellings.contains(&route.to_string()), "{} for {}", route, path);
        }
    }

    #[test]
    fn any_path_is_a_route_or_a_fault(path in any::<String>()) {
        let _ = Route::parse(&path);
        let _ = Route::parse(&format!("/v2/{path}"));
    }

    #[test]
    fn names_are_those_of_the_grammar(text in nearly_a_name()) {
        prop_assert_eq!(text.parse::<RepositoryName>().is_ok(), is_name(&text), "{:?}", text);
    }

    #[test]
    fn tags_are_those_of_the_grammar(text in prop_oneof![TAG, "[a-zA-Z0-9._-]{0,131}", any::<String>()]) {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let expected = (1..=128).contains(&text.len())
            && text.starts_with(word)
            && text.chars().all(|c| word(c) || c == '.' || c == '-');
        prop_assert_eq!(text.parse::<Tag>().is_ok(), expected, "{:?}", text);
    }

    #[test]
    fn digests_survive_their_text(digest in digest()) {
        prop_assert_eq!(digest.to_string().parse(), Ok(digest));
    }

    #[test]
    fn only_the_text_of_a_digest_is_one(text in prop_oneof!["(sha256|sha512|md5):[0-9a-fA-F]{0,130}", any::<String>()]) {
        if let Ok(digest) = text.parse::<Digest>() {
            prop_assert_eq!(digest.to_string(), text);
        }
    }

    #[test]
    fn queries_survive_their_text(pairs in proptest::collection::vec((any::<String>(), any::<String>()), 0..6)) {
        let query = pairs.iter().fold(Query::default(), |query, (key, value)| query.with(key, value.as_str()));
        prop_assert_eq!(Query::parse(&query.to_string()), query);
    }

    #[test]
    fn any_query_is_read(text in any::<String>()) {
        let query = Query::parse(&text);
        prop_assert_eq!(Query::parse(&query.to_string()), query);
    }

    #[test]
    fn a_range_is_the_bytes_that_it_names(first in 0..40u64, last in 0..40u64, size in 0..30u64) {
        let indices = |wanted: &dyn Fn(u64) -> bool| (0..size).filter(|byte| wanted(*byte)).collect::<Vec<_>>();
        for (header, wanted) in [
            (format!("bytes={first}-{last}"), indices(&|byte| first <= byte && byte <= last)),
            (format!("bytes={first}-"), indices(&|byte| first <= byte)),
            (format!("bytes=-{last}"), indices(&|byte| byte + last >= size)),
        ] {
            let bytes = match Ranged::of(Some(&header), size) {
                Ranged::Part(part) => (part.start..part.start + part.length).collect(),
                Ranged::Unsatisfiable => Vec::new(),
                Ranged::Whole => return Err(TestCaseError::fail(header)),
            };
            prop_assert_eq!(bytes, wanted, "{} of {}", header, size);
        }
    }

    #[test]
    fn any_range_is_within_the_content(header in prop_oneof!["bytes=[0-9]{0,21}-[0-9]{0,21}", any::<String>()], size in any::<u64>()) {
        if let Ranged::Part(part) = Ranged::of(Some(&header), size) {
            prop_assert!(part.length > 0 && part.start.checked_add(part.length).is_some_and(|end| end <= size));
        }
    }

    #[test]
    fn content_ranges_are_inclusive(start in 0..u64::MAX / 2, length in 1..u64::MAX / 2) {
        let last = start + length - 1;
        for text in [format!("{start}-{last}"), format!("bytes {start}-{last}/*"), format!(" bytes={start}-{last} ")] {
            prop_assert_eq!(text.parse(), Ok(ContentRange { start, length }), "{}", text);
        }
        let inverted = format!("{}-{start}", start + length);
        prop_assert!(inverted.parse::<ContentRange>().is_err());
    }

    #[test]
    fn any_content_range_is_read(text in any::<String>()) {
        let _ = text.parse::<ContentRange>();
    }

    #[test]
    fn any_bytes_are_a_manifest_or_a_fault(bytes in any::<Vec<u8>>(), header in any::<Option<String>>()) {
        let _ = Manifest::parse(header.as_deref(), bytes.into());
    }

    #[test]
    fn every_reference_of_an_image_is_found(layers in proptest::collection::vec((common_digest(), any::<bool>()), 0..20), config in common_digest()) {
        let entry = |digest: &Digest| json!({ "mediaType": "application/x", "digest": digest, "size": 1 });
        let layer = |(digest, foreign): &(Digest, bool)| {
            let mut entry = entry(digest);
            if *foreign {
                entry["urls"] = json!(["https://elsewhere.example/"]);
            }
            entry
        };
        let entries: Vec<Value> = layers.iter().map(layer).collect();
        let manifest = json!({ "schemaVersion": 2, "config": entry(&config), "layers": entries });
        let parsed = Manifest::parse(Some(MediaType::OciImage.as_str()), Bytes::from(manifest.to_string())).unwrap();
        let found: BTreeSet<Digest> = parsed.references().iter().map(|reference| reference.digest).collect();
        prop_assert_eq!(found, layers.iter().map(|(digest, _)| *digest).chain([config]).collect());
        // What one place says must be here, another cannot excuse.
        let needed: BTreeSet<Digest> = parsed
            .references()
            .iter()
            .filter(|reference| reference.kind == ReferenceKind::Blob)
            .map(|reference| reference.digest)
            .collect();
        let expected = layers.iter().filter(|(_, foreign)| !foreign).map(|(digest, _)| *digest).chain([config]).collect();
        prop_assert_eq!(needed, expected);
    }

    #[test]
    fn a_damaged_manifest_is_read_or_refused(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let entry = json!({ "mediaType": "application/x", "digest": Digest::canonical(b""), "size": 1 });
        let manifest = json!({ "schemaVersion": 2, "config": entry, "layers": [entry], "annotations": { "a": "b" } });
        let mut bytes = manifest.to_string().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(parsed) = Manifest::parse(None, bytes.clone().into()) {
            prop_assert_eq!(parsed.bytes(), &bytes);
        }
    }
}
