//! Every path of the storage layout; nothing else formats one.
//!
//! The layout is distribution's, so that a bucket or folder can be taken over in place, both ways. What Berth adds
//! lies under names that distribution ignores: `_uploads/<id>/records`, `chunks`, `direct`, `edge` and `copies`,
//! `_manifests/referrers`, `berth`.

use std::fmt::Display;

use crate::{
    digest::{Algorithm, Digest},
    driver::{Path, PathError},
    name::{RepositoryName, Tag},
};

/// A place in the layout.
#[derive(Debug, Clone, Copy)]
pub enum PathSpec<'a> {
    /// A blob's content.
    Blob(&'a Digest),
    /// The folder of all repositories, and of those below a name.
    Repositories(Option<&'a str>),
    /// The folder that shows that a repository holds blobs.
    Layers(&'a RepositoryName),
    /// The folder that shows that a repository holds manifests.
    Manifests(&'a RepositoryName),
    /// That the repository has a blob. Content: the canonical digest.
    LayerLink(&'a RepositoryName, &'a Digest),
    /// The folder of a repository's blob links of one algorithm.
    LayerLinks(&'a RepositoryName, Algorithm),
    /// The folder of a repository's manifest links of one algorithm.
    Revisions(&'a RepositoryName, Algorithm),
    /// That the repository has a manifest. Content: the canonical digest.
    RevisionLink(&'a RepositoryName, &'a Digest),
    /// The folder of a manifest's signature links.
    Signatures(&'a RepositoryName, &'a Digest),
    /// That a manifest has a signature. Content: the signature's digest.
    SignatureLink(&'a RepositoryName, &'a Digest, &'a Digest),
    /// The folder of a repository's tags.
    Tags(&'a RepositoryName),
    /// The folder of a tag.
    Tag(&'a RepositoryName, &'a Tag),
    /// What a tag points at. Content: a digest.
    TagCurrent(&'a RepositoryName, &'a Tag),
    /// That a tag has pointed at a manifest. Content: its digest.
    TagIndex(&'a RepositoryName, &'a Tag, &'a Digest),
    /// The folder of the referrers of a subject.
    Referrers(&'a RepositoryName, &'a Digest),
    /// One referrer of a subject. Content: its descriptor.
    ReferrerEntry(&'a RepositoryName, &'a Digest, &'a Digest),
    /// The folder of an upload session.
    Upload(&'a RepositoryName, &'a str),
    /// The folder of all upload sessions of a repository.
    Uploads(&'a RepositoryName),
    /// When distribution opened an upload. Content: the time, as RFC 3339 has it.
    UploadStartedAt(&'a RepositoryName, &'a str),
    /// A record of an upload's log.
    UploadRecord(&'a RepositoryName, &'a str, u64),
    /// Bytes of an upload, under a name that no other writer uses.
    UploadChunk(&'a RepositoryName, &'a str, &'a str),
    /// Content of an upload that its sender hands to the backend itself, until it is known to be what it should be.
    UploadStage(&'a RepositoryName, &'a str),
    /// Content of an upload that the edge put there in its client's name, as what that client says is its digest. Whoever
    /// holds the upload's URL may write there at any time, so nothing is known of it.
    UploadStaged(&'a RepositoryName, &'a str, &'a Digest),
    /// A copy of such content where no one else writes, by a name that is used once.
    UploadCopy(&'a RepositoryName, &'a str, &'a str),
    /// That content is known by a provisional digest. Content: the canonical digest.
    DigestMap(&'a Digest),
    /// A secret that all instances share.
    Secret(&'a str),
    /// The keys that sign tokens.
    SigningKeys,
    /// The folder of all API keys.
    ApiKeys,
    /// An API key, by the hash of its secret. Content: its name and its times, in JSON.
    ApiKey(&'a str),
    /// The folder of the secrets that a stack's registry shares with its CloudFront distribution, by the last part of the
    /// stack's ARN, and a file in it.
    Edge(&'a str, Option<&'a str>),
}

impl PathSpec<'_> {
    /// The path of this place below `root`, the folder that configuration calls `rootdirectory`.
    ///
    /// # Errors
    /// [`PathError`] for an upload id that is no path component; everything else is safe by its type.
    pub fn path(&self) -> Result<Path, PathError> {
        self.text().parse()
    }

    fn text(&self) -> String {
        const ROOT: &str = "/docker/registry/v2";
        let link = |folder: &dyn Display, digest: &Digest| {
            format!("{folder}/{}/{}/link", digest.algorithm(), digest.encoded())
        };
        let repository = |name: &RepositoryName| format!("{ROOT}/repositories/{name}");
        match *self {
            Self::Blob(digest) => {
                let hex = digest.encoded();
                format!("{ROOT}/blobs/{}/{}/{hex}/data", digest.algorithm(), &hex[..2])
            }
            Self::Repositories(None) => format!("{ROOT}/repositories"),
            Self::Repositories(Some(below)) => format!("{ROOT}/repositories/{below}"),
            Self::Layers(name) => format!("{}/_layers", repository(name)),
            Self::Manifests(name) => format!("{}/_manifests", repository(name)),
            Self::LayerLink(name, digest) => link(&Self::Layers(name).text(), digest),
            Self::LayerLinks(name, algorithm) => format!("{}/_layers/{algorithm}", repository(name)),
            Self::Revisions(name, algorithm) => format!("{}/_manifests/revisions/{algorithm}", repository(name)),
            Self::RevisionLink(name, digest) => link(&format!("{}/_manifests/revisions", repository(name)), digest),
            Self::Signatures(name, manifest) => format!(
                "{}/_manifests/revisions/{}/{}/signatures",
                repository(name),
                manifest.algorithm(),
                manifest.encoded()
            ),
            Self::SignatureLink(name, manifest, digest) => link(&Self::Signatures(name, manifest).text(), digest),
            Self::Tags(name) => format!("{}/_manifests/tags", repository(name)),
            Self::Tag(name, tag) => format!("{}/_manifests/tags/{tag}", repository(name)),
            Self::TagCurrent(name, tag) => format!("{}/current/link", Self::Tag(name, tag).text()),
            Self::TagIndex(name, tag, digest) => link(&format!("{}/index", Self::Tag(name, tag).text()), digest),
            Self::Referrers(name, subject) => {
                format!("{}/_manifests/referrers/{}/{}", repository(name), subject.algorithm(), subject.encoded())
            }
            Self::ReferrerEntry(name, subject, digest) => {
                format!("{}/{}-{}", Self::Referrers(name, subject).text(), digest.algorithm(), digest.encoded())
            }
            Self::Uploads(name) => format!("{}/_uploads", repository(name)),
            Self::Upload(name, id) => format!("{}/_uploads/{id}", repository(name)),
            Self::UploadStartedAt(name, id) => format!("{}/startedat", Self::Upload(name, id).text()),
            Self::UploadRecord(name, id, number) => format!("{}/records/{number}", Self::Upload(name, id).text()),
            Self::UploadChunk(name, id, chunk) => format!("{}/chunks/{chunk}", Self::Upload(name, id).text()),
            Self::UploadStage(name, id) => format!("{}/direct", Self::Upload(name, id).text()),
            Self::UploadStaged(name, id, digest) => {
                format!("{}/edge/{}/{}", Self::Upload(name, id).text(), digest.algorithm(), digest.encoded())
            }
            Self::UploadCopy(name, id, copy) => format!("{}/copies/{copy}", Self::Upload(name, id).text()),
            Self::DigestMap(digest) => format!("/berth/digests/{}/{}", digest.algorithm(), digest.encoded()),
            Self::Secret(name) => format!("/berth/secrets/{name}"),
            Self::SigningKeys => "/berth/keys/signing/current".to_owned(),
            Self::ApiKeys => "/berth/keys/api".to_owned(),
            Self::Edge(stack, None) => format!("/berth/edge/{stack}"),
            Self::Edge(stack, Some(file)) => format!("{}/{file}", Self::Edge(stack, None).text()),
            Self::ApiKey(hash) => format!("{}/{hash}", Self::ApiKeys.text()),
        }
    }
}
