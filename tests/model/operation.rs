//! What may be done, over a world small enough that sequences of it collide.

use proptest::prelude::*;

/// The repositories: a name below another, and one that sorts between them.
pub(crate) const REPOSITORIES: [&str; 3] = ["a", "a-b", "a/b"];
/// The tags: S3 lists their folders in another order than that of their names.
pub(crate) const TAGS: [&str; 3] = ["v1", "v1-rc", "v1.0"];
/// Blobs, by what they hold.
pub(crate) const BLOBS: [&[u8]; 4] = [b"", b"{}", b"one layer", b"another layer, somewhat longer"];

/// How a blob is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    /// With the closing request.
    AtOnce,
    /// By one append, and an empty close.
    Append,
    /// By an append of each half, each continued from the state that the one before gave.
    Halves,
    /// By an append of the first half, the rest with the closing request.
    RestAtClose,
    /// With the closing request, named by sha512.
    Sha512,
    /// By one append, named by sha512 only when it closes.
    Sha512Late,
}

/// A manifest of the world: which of them it is follows from a small number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Which {
    /// An image: configuration `{}`, and the layers whose bits are set.
    Image(u8),
    /// An index of two images.
    Index(u8, u8),
    /// An image that refers to another, which need not be there.
    Artifact(u8),
}

/// One step.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    /// Push blob `.1` to repository `.0`.
    Push(usize, usize, Way),
    /// Mount blob `.2` into repository `.0` from repository `.1`, or from anywhere.
    Mount(usize, Option<usize>, usize),
    /// Put a manifest, with tags, by its digest or not.
    Put(usize, Which, Vec<usize>, bool),
    /// Remove a tag.
    Untag(usize, usize),
    /// Delete a manifest.
    DeleteManifest(usize, Which),
    /// Delete a blob.
    DeleteBlob(usize, usize),
    /// Open an upload of blob `.1`, append half of it and cancel.
    Cancel(usize, usize),
    /// Close an upload of blob `.1` under the digest of another.
    WrongDigest(usize, usize, Way),
}

/// Sequences of steps, the constructive ones oftener.
pub(crate) fn operations(length: usize) -> impl Strategy<Value = Vec<Operation>> {
    let repository = 0..REPOSITORIES.len();
    let blob = 0..BLOBS.len();
    let way = prop_oneof![
        Just(Way::AtOnce),
        Just(Way::Append),
        Just(Way::Halves),
        Just(Way::RestAtClose),
        Just(Way::Sha512),
        Just(Way::Sha512Late),
    ];
    let which = prop_oneof![
        3 => (0..8u8).prop_map(Which::Image),
        2 => (0..8u8, 0..8u8).prop_map(|(one, other)| Which::Index(one, other)),
        1 => (0..8u8).prop_map(Which::Artifact),
    ];
    let tags = prop::collection::vec(0..TAGS.len(), 0..3);
    let operation = prop_oneof![
        8 => (repository.clone(), blob.clone(), way.clone()).prop_map(|(r, b, w)| Operation::Push(r, b, w)),
        3 => (repository.clone(), prop::option::of(repository.clone()), blob.clone())
            .prop_map(|(to, from, b)| Operation::Mount(to, from, b)),
        8 => (repository.clone(), which.clone(), tags, any::<bool>())
            .prop_map(|(r, w, tags, by_digest)| Operation::Put(r, w, tags, by_digest)),
        2 => (repository.clone(), 0..TAGS.len()).prop_map(|(r, t)| Operation::Untag(r, t)),
        2 => (repository.clone(), which).prop_map(|(r, w)| Operation::DeleteManifest(r, w)),
        2 => (repository.clone(), blob.clone()).prop_map(|(r, b)| Operation::DeleteBlob(r, b)),
        1 => (repository.clone(), blob.clone()).prop_map(|(r, b)| Operation::Cancel(r, b)),
        1 => (repository, blob, way).prop_map(|(r, b, w)| Operation::WrongDigest(r, b, w)),
    ];
    prop::collection::vec(operation, 1..length)
}
