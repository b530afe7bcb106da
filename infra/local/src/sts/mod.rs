//! An endpoint of the Security Token Service that knows one action, `GetCallerIdentity`, asked by presigned URL.
//!
//! From "GetCallerIdentity" and "Common Errors" (STS API Reference). Signatures are verified, with every signed header.

mod answer;
mod signature;
mod state;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;

use crate::Error;
use crate::front::{Admission, Arrived, Dropped, Front, ResponseBody, Service};
use crate::host::Host;
use crate::options::Options;
use answer::{found, refused};
use signature::Query;
use state::State;
pub use state::{Asked, Signer};

/// A running STS endpoint. Stops on drop.
#[derive(Debug)]
pub struct StsEmulator {
    address: SocketAddr,
    state: Arc<State>,
    _host: Arc<Host>,
}

impl StsEmulator {
    pub(crate) fn on(host: Arc<Host>, front: Front, options: &Options) -> Result<Self, Error> {
        let state = Arc::new(State { front, account: options.account.clone(), known: Mutex::default() });
        let (wanted, behind) = (options.sts_address, state.clone());
        let address = host.serve(wanted, move |request| answer(behind.clone(), request));
        let address = address.map_err(|source| Error::Address(wanted, source))?;
        Ok(Self { address, state, _host: host })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Makes `signer` known, in place of the one that had its access key.
    pub fn add(&self, signer: Signer) {
        let mut known = self.state.known();
        known.signers.retain(|old| old.access_key != signer.access_key);
        known.signers.push(signer);
    }

    /// Forgets whoever has this access key, as when it is deleted.
    pub fn remove(&self, access_key: &str) {
        self.state.known().signers.retain(|signer| signer.access_key != access_key);
    }

    /// Every request since the start or the last [`StsEmulator::reset`].
    pub fn asked(&self) -> Vec<Asked> {
        self.state.known().asked.clone()
    }

    /// Forgets the requests so far.
    pub fn reset(&self) {
        self.state.known().asked.clear();
    }

    /// Answers every request by a redirect to `url` from now on; by itself again when none.
    pub fn redirect(&self, url: Option<String>) {
        self.state.known().redirect = url;
    }
}

async fn answer(state: Arc<State>, request: Request<Incoming>) -> Result<Response<ResponseBody>, Dropped> {
    let (parts, _) = request.into_parts();
    let header = |name: &str| Some(parts.headers.get(name)?.to_str().ok()?.to_owned());
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let redirect = {
        let mut headers: Vec<String> = parts.headers.keys().map(|name| name.to_string()).collect();
        headers.sort();
        let mut known = state.known();
        known.asked.push(Asked {
            host: header("host"),
            registry: header("x-berth-registry"),
            headers,
            target: parts.uri.to_string(),
        });
        known.redirect.clone()
    };
    let arrived = Arrived {
        service: Service::Sts,
        operation: query.get("Action").unwrap_or("Unknown").to_owned(),
        method: parts.method.to_string(),
        bucket: None,
        key: None,
        source: None,
        prefix: None,
        tables: Vec::new(),
        presigned: query.get("X-Amz-Signature").is_some(),
        access_key: query.access_key().map(str::to_owned),
        request_bytes: 0,
    };
    let admitted = match state.front.admit(arrived, &parts.method).await? {
        Admission::Refuse(response) => return Ok(response),
        Admission::Forward(admitted) => admitted,
    };
    let is_json = header("accept").is_some_and(|accept| accept.contains("application/json"));
    let mut response = match (redirect, state.judge(&parts, &query)) {
        (Some(url), _) => {
            let mut response = Response::new(String::new());
            *response.status_mut() = StatusCode::FOUND;
            if let Ok(url) = HeaderValue::from_str(&url) {
                response.headers_mut().insert(header::LOCATION, url);
            }
            response
        }
        (None, Ok(arn)) => Response::new(found(&arn, is_json)),
        (None, Err((status, code, message))) => {
            let mut response = Response::new(refused(code, message, is_json));
            *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
            response
        }
    };
    let kind = HeaderValue::from_static(if is_json { "application/json" } else { "text/xml" });
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    admitted.finish(response.map(|text| Full::new(Bytes::from(text)).map_err(|never| match never {}).boxed_unsync()))
}
