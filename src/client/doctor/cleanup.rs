//! Deletes what the checks pushed.

use super::{record::Finding, repository::TestRepository};
use crate::{
    context::Context,
    distribution::{BackendError, BackendErrorKind, BlobError, ManifestError, Repository as _, TagError},
};

/// What became of a deletion.
enum Deletion {
    Done,
    /// The registry does not allow it.
    NotAllowed(String),
    Failed(String),
}

pub(super) async fn check(place: &TestRepository, ctx: &Context) -> Finding {
    let (mut deleted, mut left, mut refused, mut failed) = (0, Vec::new(), None, None);
    let mut note = |what: String, deletion: Deletion| {
        match deletion {
            Deletion::Done => return deleted += 1,
            Deletion::NotAllowed(reason) => refused = Some(reason),
            Deletion::Failed(reason) => failed = Some(reason),
        }
        left.push(what);
    };
    let (image, blobs) = {
        let mut made = place.made();
        (made.image.take(), std::mem::take(&mut made.blobs))
    };
    if let Some(image) = image {
        // The tag goes with its manifest in some registries, and alone in others.
        let untagged = tag(place.remote.tags().untag(ctx, &image.tag).await);
        note(format!("manifest {}", image.digest), manifest(place.remote.manifests().delete(ctx, &image.digest).await));
        if let Ok(digest) = place.remote.tags().resolve(ctx, &image.tag).await
            && digest == image.digest
        {
            note(format!("tag {}", image.tag), untagged);
        }
    }
    for digest in blobs {
        note(format!("blob {digest}"), blob(place.remote.blobs().delete(ctx, &digest).await));
    }
    let (host, name) = (&place.host, &place.name);
    let rest = format!("left in {host}/{name}: {}", left.join(", "));
    match (failed, refused) {
        (None, None) if deleted == 0 => Finding::Skipped("nothing was pushed".to_owned()),
        (None, None) => Finding::Ok(format!("everything in {host}/{name} is deleted")),
        (Some(reason), _) => Finding::failed(
            format!("{reason}; {rest}"),
            format!("delete it: `berth rm {host}/{name}@DIGEST` for the manifest; see the log of {host}"),
        ),
        (None, Some(reason)) => Finding::Skipped(format!("the registry does not allow deletion ({reason}); {rest}")),
    }
}

fn manifest(outcome: Result<(), ManifestError>) -> Deletion {
    match outcome {
        Ok(()) | Err(ManifestError::Unknown { .. }) => Deletion::Done,
        Err(ManifestError::Backend(error)) => backend(&error),
        Err(error) => Deletion::Failed(error.to_string()),
    }
}

fn tag(outcome: Result<(), TagError>) -> Deletion {
    match outcome {
        Ok(()) | Err(TagError::Unknown { .. } | TagError::RepositoryUnknown(_)) => Deletion::Done,
        Err(TagError::Backend(error)) => backend(&error),
    }
}

fn blob(outcome: Result<(), BlobError>) -> Deletion {
    match outcome {
        // Not there: its push failed, or it went with the manifest.
        Ok(()) | Err(BlobError::Unknown(_)) => Deletion::Done,
        Err(BlobError::Backend(error)) => backend(&error),
        Err(error) => Deletion::Failed(error.to_string()),
    }
}

fn backend(error: &BackendError) -> Deletion {
    match error.kind {
        BackendErrorKind::Denied | BackendErrorKind::Refused => Deletion::NotAllowed(error.to_string()),
        _ => Deletion::Failed(error.to_string()),
    }
}
