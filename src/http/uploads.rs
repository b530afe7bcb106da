//! `/v2/<name>/blobs/uploads/`: sessions that take a blob in (OCI distribution specification, "Pushing blobs").

use axum::{body::Body, response::Response};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use uuid::Uuid;

use super::{
    answer::{Answer, value},
    call::Call,
    content::{Chunk, content, settled},
    direct,
    fault::Fault,
};
use crate::{
    api::{BY_EDGE, COMMIT, DirectAnswer, ErrorCode, Query, Route, SIZE, TICKET},
    auth::{Access, Action},
    digest::{Algorithm, Digest},
    distribution::{BlobWriter, Created, DirectCommit, NewUpload, Repository, StagedCommit, Upload, UploadError},
    name::RepositoryName,
};

const DOCKER_UPLOAD_UUID: HeaderName = HeaderName::from_static("docker-upload-uuid");

/// `POST`: mounts a blob, takes a whole one, or opens a session.
pub(super) async fn open(call: &Call, name: &RepositoryName, body: Body) -> Result<Response, Fault> {
    let query = call.query();
    let digest = digest_of(&query)?;
    let mount = mount_of(&query)?.filter(|(_, from)| may_read(call, from.as_ref()));
    // A blob that comes with this request needs no other way.
    let announced = if digest.is_none() { direct::announced(call, may_read(call, None))? } else { None };
    if let (Some(announced), Some(mounted)) = (&announced, query.get("mount"))
        && mounted != announced.digest.to_string()
    {
        let message = "mount and Berth-Blob-Digest name different blobs";
        return Err(Fault::bad(ErrorCode::DigestInvalid, message));
    }
    let algorithm = algorithm_of(&query, digest.as_ref())?;
    let new = NewUpload { mount, algorithm, announced: announced.clone() };
    let mounted = new.mount.as_ref().map(|(digest, _)| *digest);
    let repository = call.repository(name);
    match (repository.blobs().create(&call.ctx, new).await?, mounted, digest) {
        (Created::Mounted(descriptor), mounted, _) => Ok(created(call, name, &mounted.unwrap_or(descriptor.digest))),
        (Created::Session(writer), _, Some(digest)) => {
            writer.commit(&call.ctx, &digest, None, content(body)).await?;
            Ok(created(call, name, &digest))
        }
        (Created::Session(mut writer), ..) => {
            let target = match &announced {
                Some(announced) => writer.target(&call.ctx).await?.map(|target| direct::target(announced, target)),
                None => None,
            };
            let answer = opened(call, name, StatusCode::ACCEPTED, &writer.upload());
            Ok(match target {
                Some(said) => direct::answer(answer, &said),
                None => answer.empty(),
            })
        }
    }
}

/// Whether a blob may be mounted from there. What may not be read is, to whoever asks, not there.
fn may_read(call: &Call, from: Option<&RepositoryName>) -> bool {
    match from {
        Some(name) => call.grant.allows(&Access::Repository(name.clone(), Action::Pull)),
        None => call.grant.allows(&Access::AnyBlob),
    }
}

/// Whether a request is to commit what the edge stored: the one change that is made by GET.
pub(super) fn commits(call: &Call) -> bool {
    call.parts.method == Method::GET && call.query().get(COMMIT) == Some(BY_EDGE)
}

/// `GET`: how far the session has come, or where parts of it go; or the commit of what the edge stored, as the edge has told
/// the client to.
pub(super) async fn status(call: &Call, name: &RepositoryName, id: &str) -> Result<Response, Fault> {
    if commits(call) {
        return commit_staged(call, name, id).await;
    }
    let repository = call.repository(name);
    if let Some(numbers) = direct::wanted_parts(call)? {
        let mut writer = resume(call, &*repository, id).await?;
        return Ok(direct::parts(writer.parts(&call.ctx, numbers).await?));
    }
    let upload = resume(call, &*repository, id).await?.refresh(&call.ctx).await?;
    let answer = if upload.size == 0 { opened } else { standing };
    Ok(answer(call, name, StatusCode::NO_CONTENT, &upload).empty())
}

/// Closes the session over what the edge stored, or sends the client here again for the rest.
async fn commit_staged(call: &Call, name: &RepositoryName, id: &str) -> Result<Response, Fault> {
    let digest = closing_digest(call)?;
    let mut writer = resume(call, &*call.repository(name), id).await?;
    let size = call.query().get(SIZE).and_then(|digits| digits.parse().ok());
    let answer = match writer.commit_staged(&call.ctx, &digest, size).await {
        Ok(Some(StagedCommit::Done)) => done(call, name, &digest),
        Ok(Some(StagedCommit::GoesOn(upload))) => {
            let more = [("digest", digest.to_string()), (COMMIT, BY_EDGE.to_owned())];
            Answer::new(StatusCode::SEE_OTHER).with(header::LOCATION, call.urls().upload(name, &upload, &more))
        }
        Ok(None) => {
            let message = "this registry takes no content from an edge; send it to the registry itself";
            return Err(Fault::bad(ErrorCode::Unsupported, message));
        }
        Err(error @ UploadError::RangeInvalid { .. }) => return Err(with_place(error, call, name, &writer.upload())),
        Err(error) => return Err(error.into()),
    };
    Ok(answer.with(header::CACHE_CONTROL, HeaderValue::from_static("no-store")).empty())
}

/// `PATCH`: appends a chunk, or all of the content.
pub(super) async fn append(call: &Call, name: &RepositoryName, id: &str, body: Body) -> Result<Response, Fault> {
    let repository = call.repository(name);
    let mut writer = resume(call, &*repository, id).await?;
    let Some(chunk) = Chunk::of(call, body) else {
        return Err(range_malformed(call, name, &mut *writer).await);
    };
    let Chunk { at, content } = chunk?;
    match writer.append(&call.ctx, at, content).await {
        Ok(upload) => Ok(stands(call, name, StatusCode::ACCEPTED, &upload)),
        Err(error @ UploadError::RangeInvalid { .. }) => Err(with_place(error, call, name, &writer.upload())),
        Err(error) => Err(error.into()),
    }
}

/// `PUT`: appends the last bytes, if any, and closes the session: the content has the digest that the client gives,
/// or nothing is stored.
pub(super) async fn close(call: &Call, name: &RepositoryName, id: &str, body: Body) -> Result<Response, Fault> {
    let digest = closing_digest(call)?;
    let repository = call.repository(name);
    let mut writer = resume(call, &*repository, id).await?;
    let Some(chunk) = Chunk::of(call, body) else {
        return Err(range_malformed(call, name, &mut *writer).await);
    };
    let Chunk { at, content } = chunk?;
    let content = settled(content).await;
    if at.is_none() && content.is_empty() {
        match writer.commit_direct(&call.ctx, &digest).await? {
            Some(DirectCommit::Done(_)) => return Ok(created(call, name, &digest)),
            Some(DirectCommit::GoesOn { upload, size, verified, copied }) => {
                let answer = standing(call, name, StatusCode::ACCEPTED, &upload);
                return Ok(direct::answer(answer, &DirectAnswer::Commit { size, verified, copied }));
            }
            None => {}
        }
    }
    match writer.commit(&call.ctx, &digest, at, content).await {
        Ok(_) => Ok(created(call, name, &digest)),
        Err(error @ UploadError::RangeInvalid { .. }) => {
            let upload = resume(call, &*repository, id).await?.refresh(&call.ctx).await?;
            Err(with_place(error, call, name, &upload))
        }
        Err(error) => Err(error.into()),
    }
}

/// `DELETE`: cancels the session.
pub(super) async fn cancel(call: &Call, name: &RepositoryName, id: &str) -> Result<Response, Fault> {
    let repository = call.repository(name);
    resume(call, &*repository, id).await?.cancel(&call.ctx).await?;
    Ok(Answer::new(StatusCode::NO_CONTENT).empty())
}

/// The session that the path and the query's `_state` name.
async fn resume(call: &Call, repository: &dyn Repository, id: &str) -> Result<Box<dyn BlobWriter>, UploadError> {
    // Ids are UUIDs in their hyphenated form; anything else was never handed out and reaches no storage.
    if id.len() != uuid::fmt::Hyphenated::LENGTH || Uuid::try_parse(id).is_err() {
        return Err(UploadError::Unknown(id.to_owned()));
    }
    let query = call.query();
    repository.blobs().resume(&call.ctx, id, query.get("_state").unwrap_or_default()).await
}

/// The digest that the client gives the whole content.
fn digest_of(query: &Query) -> Result<Option<Digest>, Fault> {
    Ok(query.get("digest").map(str::parse).transpose()?)
}

/// The digest of a request that closes a session.
fn closing_digest(call: &Call) -> Result<Digest, Fault> {
    let missing = || Fault::bad(ErrorCode::DigestInvalid, "digest= is missing; it closes the upload");
    digest_of(&call.query())?.ok_or_else(missing)
}

/// The blob to mount, and from where if the client says.
fn mount_of(query: &Query) -> Result<Option<(Digest, Option<RepositoryName>)>, Fault> {
    let Some(digest) = query.get("mount") else { return Ok(None) };
    let from = query.get("from").filter(|from| !from.is_empty()).map(str::parse).transpose()?;
    Ok(Some((digest.parse()?, from)))
}

/// The algorithm by which the client will name the content, where it says so or shows it.
fn algorithm_of(query: &Query, digest: Option<&Digest>) -> Result<Option<Algorithm>, Fault> {
    let said = query.get("digest-algorithm").map(str::parse).transpose()?;
    Ok(said.or(digest.map(Digest::algorithm)))
}

/// 201: the blob is there, under the digest that the client used.
fn created(call: &Call, name: &RepositoryName, digest: &Digest) -> Response {
    done(call, name, digest).empty()
}

/// The same, for a header to be added.
fn done(call: &Call, name: &RepositoryName, digest: &Digest) -> Answer {
    let route = Route::Blob(name.clone(), *digest);
    Answer::new(StatusCode::CREATED).with(header::LOCATION, call.urls().route(&route)).digest(digest)
}

/// Where the session stands, and the URL by which it goes on.
fn stands(call: &Call, name: &RepositoryName, status: StatusCode, upload: &Upload) -> Response {
    standing(call, name, status, upload).empty()
}

/// The same, for a body to be added.
fn standing(call: &Call, name: &RepositoryName, status: StatusCode, upload: &Upload) -> Answer {
    placed(status, place(call, name, upload, &[]))
}

/// The same of a session that holds nothing, which the edge may take the content of.
fn opened(call: &Call, name: &RepositoryName, status: StatusCode, upload: &Upload) -> Answer {
    let ticket = call.options().edge.ticket(name, &upload.id).map(|ticket| (TICKET, ticket));
    placed(status, place(call, name, upload, ticket.as_slice()))
}

fn placed(status: StatusCode, place: [(HeaderName, HeaderValue); 3]) -> Answer {
    place.into_iter().fold(Answer::new(status), |answer, (name, value)| answer.with(name, value))
}

/// 416 and where the session stands. Nothing was changed.
fn with_place(error: UploadError, call: &Call, name: &RepositoryName, upload: &Upload) -> Fault {
    place(call, name, upload, &[]).into_iter().fold(error.into(), |fault: Fault, (name, value)| fault.with(name, value))
}

async fn range_malformed(call: &Call, name: &RepositoryName, writer: &mut dyn BlobWriter) -> Fault {
    match writer.refresh(&call.ctx).await {
        Ok(upload) => with_place(UploadError::RangeInvalid { stored: upload.size }, call, name, &upload),
        Err(error) => error.into(),
    }
}

fn place(
    call: &Call,
    name: &RepositoryName,
    upload: &Upload,
    more: &[(&str, String)],
) -> [(HeaderName, HeaderValue); 3] {
    // The specification's range cannot say that nothing is stored: clients read `0-0` as that.
    let last = upload.size.saturating_sub(1);
    [
        (header::LOCATION, call.urls().upload(name, upload, more)),
        (header::RANGE, value(format!("0-{last}"))),
        (DOCKER_UPLOAD_UUID, value(upload.id.clone())),
    ]
}
