//! An endpoint of the Security Token Service that knows one action, `GetCallerIdentity`, asked by presigned URL.
//!
//! From "GetCallerIdentity" and "Common Errors" (STS API Reference). Signatures are verified, with every signed header.

mod signature;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header, request::Parts};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Error;
use crate::front::{Admission, Arrived, Dropped, Front, ResponseBody, Service};
use crate::host::Host;
use crate::options::Options;
use signature::Query;

/// Who is known to STS, besides the identities of [`Emulators`](crate::Emulators).
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signer {
    /// The access key.
    pub access_key: String,
    /// Its secret.
    pub secret_key: String,
    /// The token that has to come with it: of temporary credentials.
    #[serde(default)]
    pub session_token: Option<String>,
    /// Whom STS says that it is.
    pub arn: String,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("access_key", &self.access_key).field("arn", &self.arn).finish_non_exhaustive()
    }
}

/// One request, as far as tests ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// The header `Host`.
    pub host: Option<String>,
    /// The header `X-Berth-Registry`.
    pub registry: Option<String>,
    /// The names of all headers, in lexical order.
    pub headers: Vec<String>,
    /// Path and query.
    pub target: String,
}

/// A running STS endpoint. Stops on drop.
#[derive(Debug)]
pub struct StsEmulator {
    address: SocketAddr,
    state: Arc<State>,
    _host: Arc<Host>,
}

#[derive(Debug)]
struct State {
    front: Front,
    account: String,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    signers: Vec<Signer>,
    asked: Vec<Asked>,
    redirect: Option<String>,
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

impl State {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn signer(&self, access_key: &str) -> Option<Signer> {
        let added = self.known().signers.iter().find(|signer| signer.access_key == access_key).cloned();
        added.or_else(|| {
            let identity = &self.front.identities.find(access_key)?.identity;
            let (name, account) = (&identity.name, &self.account);
            Some(Signer {
                access_key: access_key.to_owned(),
                secret_key: identity.secret_key.clone(),
                session_token: None,
                arn: format!("arn:aws:sts::{account}:assumed-role/{name}/{name}"),
            })
        })
    }

    /// The caller's ARN; or status, code and message.
    fn judge(&self, parts: &Parts, query: &Query) -> Result<String, (u16, &'static str, &'static str)> {
        const INVALID: (u16, &str, &str) =
            (403, "InvalidClientTokenId", "The security token included in the request is invalid.");
        const INCOMPLETE: (u16, &str, &str) = (400, "IncompleteSignature", "The request signature is not complete.");
        if query.get("Action") != Some("GetCallerIdentity") || query.get("Version") != Some("2011-06-15") {
            return Err((400, "InvalidAction", "Could not find operation for this version."));
        }
        let signer = query.access_key().and_then(|key| self.signer(key)).ok_or(INVALID)?;
        if query.get("X-Amz-Security-Token") != signer.session_token.as_deref() {
            return Err(INVALID);
        }
        let signed = query.signature(parts, &signer.secret_key).ok_or(INCOMPLETE)?;
        if Some(signed.as_str()) != query.get("X-Amz-Signature") {
            let message = "The request signature we calculated does not match the signature you provided.";
            return Err((403, "SignatureDoesNotMatch", message));
        }
        if !query.is_in_time() {
            return Err((403, "SignatureDoesNotMatch", "Signature expired."));
        }
        Ok(signer.arn)
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

fn found(arn: &str, is_json: bool) -> String {
    let account = arn.split(':').nth(4).unwrap_or_default();
    let id = "AIDAEMULATED0000000";
    if is_json {
        let result = json!({ "Account": account, "Arn": arn, "UserId": id });
        let metadata = json!({ "RequestId": "00000000-0000-0000-0000-000000000000" });
        json!({ "GetCallerIdentityResponse": { "GetCallerIdentityResult": result, "ResponseMetadata": metadata } })
            .to_string()
    } else {
        format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
             <Arn>{arn}</Arn><UserId>{id}</UserId><Account>{account}</Account></GetCallerIdentityResult>\
             </GetCallerIdentityResponse>"
        )
    }
}

fn refused(code: &str, message: &str, is_json: bool) -> String {
    if is_json {
        json!({ "Error": { "Code": code, "Message": message, "Type": "Sender" } }).to_string()
    } else {
        format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
             <Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
        )
    }
}
