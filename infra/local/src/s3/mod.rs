//! An S3 endpoint: s3s speaks the protocol and checks signatures, the objects behind it are this module's.
//!
//! It keeps AWS's semantics where a registry can feel them: nothing is stored unless its checksum is right, conditional
//! writes are atomic, a part but the last has 5 MiB, lists are in the order of UTF-8 bytes. Bodies lie in temporary files,
//! so that an object of gigabytes costs no memory; copies and completed uploads share them.

mod access;
mod authorize;
mod blob;
mod bucket;
mod checksum;
mod condition;
mod copy_object;
mod delete;
mod get_object;
mod head_object;
mod keys;
mod list_objects;
mod listing;
mod multipart;
mod needs;
mod object;
mod operation;
mod put_object;
mod receive;
mod service;
mod source;
mod store;

pub use object::Stored;
pub(crate) use operation::access_key;
pub use store::Limits;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use s3s::service::{S3Service, S3ServiceBuilder};

use crate::front::{Admission, Dropped, Front, ResponseBody, Rule, Service, split};
use crate::host::Host;
use crate::options::Options;
use crate::{Error, Recorded};

/// A running S3 endpoint with one bucket. Stops, and removes its files, on drop.
#[derive(Debug)]
pub struct S3Emulator {
    address: SocketAddr,
    options: Options,
    store: Arc<store::Store>,
    front: Front,
    _host: Arc<Host>,
}

impl S3Emulator {
    /// Starts on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// [`Error`] when the operating system refuses a thread, a socket or a folder.
    pub async fn start() -> Result<Self, Error> {
        Self::start_with(Options::default()).await
    }

    /// Starts as told.
    ///
    /// # Errors
    /// As [`S3Emulator::start`]; also when the address is taken.
    pub async fn start_with(options: Options) -> Result<Self, Error> {
        let host = Host::start().map_err(Error::Thread)?;
        Self::on(host, Front::new(&options), options)
    }

    pub(crate) fn on(host: Arc<Host>, front: Front, options: Options) -> Result<Self, Error> {
        let store = Arc::new(store::Store::new(&options).map_err(Error::Folder)?);
        store.create(&options.bucket, &options.region);
        let mut builder = S3ServiceBuilder::new(service::Operations(Arc::clone(&store)));
        builder.set_auth(keys::Keys(Arc::clone(&front.identities)));
        builder.set_access(access::Access(Arc::clone(&store)));
        let (service, log) = (builder.build(), front.clone());
        let answer = move |request| answer(service.clone(), log.clone(), request);
        let address =
            host.serve(options.s3_address, answer).map_err(|source| Error::Address(options.s3_address, source))?;
        Ok(Self { address, options, store, front, _host: host })
    }

    /// `http://127.0.0.1:PORT`, for path-style requests.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The bucket that exists from the start.
    pub fn bucket(&self) -> &str {
        &self.options.bucket
    }

    /// What it was started with: keys, region, names.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Makes another bucket; false when it exists.
    pub fn create_bucket(&self, name: &str) -> bool {
        self.store.create(name, &self.options.region)
    }

    /// Makes another bucket in another region, where this endpoint does not serve it: 301 `PermanentRedirect`. False when
    /// it exists.
    pub fn create_bucket_elsewhere(&self, name: &str, region: &str) -> bool {
        self.store.create(name, region)
    }

    /// What the bucket holds, by key, without a request: equal lists are equal contents.
    pub fn objects(&self) -> BTreeMap<String, Stored> {
        let buckets = self.store.buckets();
        let objects = buckets.get(&self.options.bucket).into_iter().flat_map(|bucket| &bucket.objects);
        objects.map(|(key, object)| (key.clone(), Stored::of(object))).collect()
    }

    /// The bytes of an object, without a request; none when there is none, or its file cannot be read.
    pub fn read(&self, key: &str) -> Option<bytes::Bytes> {
        let object = self.store.object(&self.options.bucket, key).ok()?;
        object.content.whole().ok()
    }

    /// How many uploads are neither completed nor aborted.
    pub fn uploads(&self) -> usize {
        self.store.buckets().values().map(|bucket| bucket.uploads.len()).sum()
    }

    /// Every request since the start or the last reset, in the order of arrival.
    pub fn requests(&self) -> Vec<Recorded> {
        self.front.log.requests(Some(Service::S3))
    }

    /// How often each operation was called (`s3:GetObject`), without requests by presigned URL.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.front.log.counts(Some(Service::S3))
    }

    /// Forgets the requests so far; of both services, when started as [`Emulators`](crate::Emulators).
    pub fn reset(&self) {
        self.front.log.reset();
    }

    /// Arms a fault, behind those that are armed already.
    pub fn inject(&self, rule: Rule) {
        self.front.faults.add(rule);
    }

    /// Disarms every fault.
    pub fn clear_faults(&self) {
        self.front.faults.clear();
    }
}

impl Drop for S3Emulator {
    fn drop(&mut self) {
        self.store.remove_files();
    }
}

/// One request, from the socket to its answer.
async fn answer(
    service: S3Service,
    front: Front,
    request: Request<Incoming>,
) -> Result<Response<ResponseBody>, Dropped> {
    let (mut parts, body) = request.into_parts();
    // A client that waits for 100 Continue has not sent its body: there is nothing to drain.
    let waits = parts.headers.contains_key(http::header::EXPECT);
    let (upload, rest) = split(body);
    let response = match front.admit(operation::describe(&parts), &parts.method).await? {
        Admission::Refuse(response) => {
            drop(upload);
            response
        }
        Admission::Forward(admitted) => {
            if let Some(caller) = admitted.caller.clone() {
                parts.extensions.insert(caller);
            }
            let response =
                service.call(Request::from_parts(parts, s3s::Body::http_body(upload))).await.map_err(|_| Dropped)?;
            admitted.finish(response.map(|body| body.boxed_unsync()))?
        }
    };
    if !waits {
        rest.drain().await;
    }
    Ok(response)
}
