//! ListObjectsV2, and the ListObjects before it.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{
    CommonPrefix, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, Object as Listed,
    ObjectStorageClass,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::checksum::algorithm_of;
use super::get_object::signed;
use super::listing::{Line, Page};
use super::object::Object;
use super::store::Store;

/// What `encoding-type=url` leaves alone.
const UNRESERVED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/').remove(b'*');

/// Lists one page of keys and common prefixes.
pub(super) async fn list_objects_v2(
    store: &Store,
    request: S3Request<ListObjectsV2Input>,
) -> S3Result<S3Response<ListObjectsV2Output>> {
    let input = request.input;
    let token = input.continuation_token.as_deref().map(read_token).transpose()?;
    let wanted = Wanted {
        prefix: input.prefix.as_deref().unwrap_or_default(),
        delimiter: input.delimiter.as_deref(),
        after: token.as_deref().or(input.start_after.as_deref()).unwrap_or_default(),
        max_keys: input.max_keys,
        encoded: input.encoding_type.is_some(),
    };
    let found = list(store, &input.bucket, &wanted)?;
    let count = found.contents.len() + found.common_prefixes.len();
    Ok(S3Response::new(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(wanted.spell(wanted.prefix)),
        delimiter: wanted.delimiter.map(|delimiter| wanted.spell(delimiter)),
        max_keys: Some(input.max_keys.unwrap_or(1000).min(1000)),
        key_count: Some(i32::try_from(count).unwrap_or(i32::MAX)),
        is_truncated: Some(found.next.is_some()),
        next_continuation_token: found.next.map(|last| URL_SAFE_NO_PAD.encode(last)),
        start_after: input.start_after.as_deref().map(|after| wanted.spell(after)),
        continuation_token: input.continuation_token,
        encoding_type: input.encoding_type,
        contents: (!found.contents.is_empty()).then_some(found.contents),
        common_prefixes: (!found.common_prefixes.is_empty()).then_some(found.common_prefixes),
        ..ListObjectsV2Output::default()
    }))
}

/// The same with a key in place of the token.
pub(super) async fn list_objects(
    store: &Store,
    request: S3Request<ListObjectsInput>,
) -> S3Result<S3Response<ListObjectsOutput>> {
    let input = request.input;
    let wanted = Wanted {
        prefix: input.prefix.as_deref().unwrap_or_default(),
        delimiter: input.delimiter.as_deref(),
        after: input.marker.as_deref().unwrap_or_default(),
        max_keys: input.max_keys,
        encoded: input.encoding_type.is_some(),
    };
    let found = list(store, &input.bucket, &wanted)?;
    Ok(S3Response::new(ListObjectsOutput {
        name: Some(input.bucket),
        prefix: Some(wanted.spell(wanted.prefix)),
        delimiter: wanted.delimiter.map(|delimiter| wanted.spell(delimiter)),
        marker: Some(wanted.spell(wanted.after)),
        max_keys: Some(input.max_keys.unwrap_or(1000).min(1000)),
        is_truncated: Some(found.next.is_some()),
        // Without a delimiter the client takes the last key itself.
        next_marker: found.next.filter(|_| input.delimiter.is_some()),
        encoding_type: input.encoding_type,
        contents: (!found.contents.is_empty()).then_some(found.contents),
        common_prefixes: (!found.common_prefixes.is_empty()).then_some(found.common_prefixes),
        ..ListObjectsOutput::default()
    }))
}

struct Wanted<'w> {
    prefix: &'w str,
    delimiter: Option<&'w str>,
    after: &'w str,
    max_keys: Option<i32>,
    encoded: bool,
}

impl Wanted<'_> {
    fn spell(&self, name: &str) -> String {
        if self.encoded { utf8_percent_encode(name, UNRESERVED).to_string() } else { name.to_owned() }
    }
}

struct Found {
    contents: Vec<Listed>,
    common_prefixes: Vec<CommonPrefix>,
    /// The last line's name, when others follow it.
    next: Option<String>,
}

fn list(store: &Store, bucket: &str, wanted: &Wanted<'_>) -> S3Result<Found> {
    let most = wanted.max_keys.unwrap_or(1000);
    let most =
        usize::try_from(most).map_err(|e| s3_error!(e, InvalidArgument, "max-keys must not be negative"))?.min(1000);
    let page = Page { prefix: wanted.prefix, delimiter: wanted.delimiter, after: wanted.after, most };
    store.with(bucket, |bucket| {
        let (lines, more) = page.of(&bucket.objects);
        let next = lines.last().filter(|_| more).map(|line| line.name().to_owned());
        let mut found = Found { contents: Vec::new(), common_prefixes: Vec::new(), next };
        for line in lines {
            match line {
                Line::Key(key, object) => found.contents.push(listed(wanted.spell(key), object)),
                Line::CommonPrefix(name) => {
                    found.common_prefixes.push(CommonPrefix { prefix: Some(wanted.spell(name)) })
                }
            }
        }
        Ok(found)
    })
}

fn listed(key: String, object: &Arc<Object>) -> Listed {
    let class = object.described.storage_class.clone();
    Listed {
        key: Some(key),
        size: Some(signed(object.content.length())),
        e_tag: Some(object.etag.clone()),
        last_modified: Some(object.modified.into()),
        storage_class: Some(
            class.map_or_else(|| ObjectStorageClass::from_static(ObjectStorageClass::STANDARD), Into::into),
        ),
        checksum_algorithm: algorithm_of(&object.checksum).map(|algorithm| vec![algorithm.name().to_owned().into()]),
        checksum_type: object.checksum.checksum_type.clone(),
        ..Listed::default()
    }
}

fn read_token(token: &str) -> S3Result<String> {
    let wrong = || s3_error!(InvalidArgument, "The continuation token provided is incorrect");
    String::from_utf8(URL_SAFE_NO_PAD.decode(token).map_err(|_| wrong())?).map_err(|_| wrong())
}
