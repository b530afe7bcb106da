//! The emulators' log and faults over HTTP, for scripts and other processes.

use std::net::SocketAddr;
use std::sync::{Arc, Weak};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use serde_json::{Value, json};

use crate::front::{Dropped, ResponseBody};
use crate::host::Host;
use crate::lambda::{Functions, administer};
use crate::{Emulators, Error, Identity, Rule, Signer};

/// Far more than any rule, or policy.
const LARGEST_REQUEST: usize = 64 << 10;

/// An HTTP server over an [`Emulators`]; stops, and the emulators with it, on drop.
///
/// | request | does |
/// |---|---|
/// | `GET /_health` | 200 |
/// | `GET /_requests` | every [`Recorded`](crate::Recorded), as a JSON array |
/// | `GET /_counts` | calls per operation, without presigned ones: `{"s3:GetObject": 3}` |
/// | `DELETE /_requests` | forgets them |
/// | `GET /_faults` | the armed [`Rule`]s |
/// | `POST /_faults` | arms one: `{"fault": "throttle", "when": {"service": "s3", "operation": "PutObject"}, "times": 2}` |
/// | `DELETE /_faults` | disarms all |
/// | `DELETE /_table`, `PUT /_table` | drops the table, makes it again |
/// | `POST /_identities` | adds an [`Identity`]: `{"name": "Role", "access_key": "..", "secret_key": "..", "policy": {..}}` |
/// | `GET /_statements` | for each identity's policy how often each entry was needed, as [`Emulators::statements`] |
/// | `GET /_unused` | the entries that no request needed, as [`Emulators::unused`] |
/// | `GET /_denied` | every [`Denial`](crate::Denial) |
/// | `DELETE /_statements` | forgets counts and denials, which outlive `DELETE /_requests` |
/// | `POST /_sts/signers` | makes a [`Signer`] known: `{"access_key": "..", "secret_key": "..", "arn": ".."}` |
/// | `GET /_sts/asked` | what STS was asked, as [`StsEmulator::asked`](crate::StsEmulator::asked) |
/// | `POST /_oidc/token` | a token of the issuer that says the claims of the body: `{"sub": "..", "aud": ".."}` |
/// | `POST /_oidc/rotate` | gives the issuer new keys |
/// | `GET /_env` | the environment for clients, as a JSON object |
///
/// With functions it answers more: see [`Functions`].
#[derive(Debug)]
pub struct Admin {
    address: SocketAddr,
    served: Arc<Served>,
    _host: Arc<Host>,
}

#[derive(Debug)]
struct Served {
    emulators: Emulators,
    functions: Option<Functions>,
}

impl Admin {
    /// Serves the log and faults of `emulators` on `address`; port 0 is a free one.
    ///
    /// # Errors
    /// [`Error::Address`], [`Error::Thread`].
    pub async fn start(emulators: Emulators, address: SocketAddr) -> Result<Self, Error> {
        Self::start_with(emulators, None, address).await
    }

    /// The same, and speaks for `functions` besides: the requests are in the table there.
    ///
    /// # Errors
    /// As [`Admin::start`].
    pub async fn start_with(
        emulators: Emulators,
        functions: Option<Functions>,
        address: SocketAddr,
    ) -> Result<Self, Error> {
        let host = Host::start().map_err(Error::Thread)?;
        let served = Arc::new(Served { emulators, functions });
        // Not kept alive by a connection that is still open: dropping this is what stops them.
        let behind = Arc::downgrade(&served);
        let answer = move |request| answer(behind.clone(), request);
        let address = host.serve(address, answer).map_err(|source| Error::Address(address, source))?;
        Ok(Self { address, served, _host: host })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it serves.
    pub fn emulators(&self) -> &Emulators {
        &self.served.emulators
    }
}

async fn answer(served: Weak<Served>, request: Request<Incoming>) -> Result<Response<ResponseBody>, Dropped> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, LARGEST_REQUEST).collect().await.map_err(|_| Dropped)?.to_bytes();
    let served = served.upgrade().ok_or(Dropped)?;
    let Served { emulators, functions } = &*served;
    let (status, value) = match (&parts.method, parts.uri.path()) {
        (&Method::GET, "/_health") => (StatusCode::OK, json!("ok")),
        (&Method::GET, "/_requests") => (StatusCode::OK, json!(emulators.requests())),
        (&Method::GET, "/_counts") => (StatusCode::OK, json!(emulators.counts())),
        (&Method::GET, "/_faults") => (StatusCode::OK, json!(emulators.faults())),
        (&Method::GET, "/_env") => {
            (StatusCode::OK, emulators.env().into_iter().map(|(k, v)| (k.to_owned(), json!(v))).collect())
        }
        (&Method::DELETE, "/_requests") => {
            emulators.reset();
            if let Some(edge) = functions.as_ref().and_then(|functions| functions.edge.as_ref()) {
                edge.reset();
            }
            done()
        }
        (&Method::DELETE, "/_faults") => {
            emulators.clear_faults();
            done()
        }
        (&Method::POST, "/_faults") => match serde_json::from_slice::<Rule>(&body) {
            Ok(rule) => {
                emulators.inject(rule);
                done()
            }
            Err(error) => (StatusCode::BAD_REQUEST, json!(error.to_string())),
        },
        (&Method::POST, "/_identities") => match serde_json::from_slice::<Identity>(&body) {
            Ok(identity) => {
                emulators.add_identity(identity);
                done()
            }
            Err(error) => (StatusCode::BAD_REQUEST, json!(error.to_string())),
        },
        (&Method::POST, "/_sts/signers") => match serde_json::from_slice::<Signer>(&body) {
            Ok(signer) => {
                emulators.sts().add(signer);
                done()
            }
            Err(error) => (StatusCode::BAD_REQUEST, json!(error.to_string())),
        },
        (&Method::GET, "/_sts/asked") => (StatusCode::OK, json!(emulators.sts().asked())),
        (&Method::POST, "/_oidc/token") => match serde_json::from_slice::<Value>(&body) {
            Ok(claims) => minted(emulators.oidc().mint(&claims)),
            Err(error) => (StatusCode::BAD_REQUEST, json!(error.to_string())),
        },
        (&Method::POST, "/_oidc/rotate") => outcome(emulators.oidc().rotate()),
        (&Method::GET, "/_statements") => (StatusCode::OK, json!(emulators.statements())),
        (&Method::GET, "/_unused") => (StatusCode::OK, json!(emulators.unused())),
        (&Method::GET, "/_denied") => (StatusCode::OK, json!(emulators.denied())),
        (&Method::DELETE, "/_statements") => {
            emulators.reset_statements();
            done()
        }
        (&Method::DELETE, "/_table") => outcome(emulators.dynamodb().drop_table()),
        (&Method::PUT, "/_table") => outcome(emulators.dynamodb().create_table()),
        (method, path) => match functions {
            Some(functions) => administer(functions, method, path).await,
            None => None,
        }
        .unwrap_or((StatusCode::NOT_FOUND, json!("no such endpoint"))),
    };
    let body = Full::new(Bytes::from(format!("{value}\n"))).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

fn done() -> (StatusCode, Value) {
    (StatusCode::OK, json!("done"))
}

fn minted(token: Result<String, Error>) -> (StatusCode, Value) {
    match token {
        Ok(token) => (StatusCode::OK, json!({ "token": token })),
        Err(error) => (StatusCode::CONFLICT, json!(error.to_string())),
    }
}

fn outcome(outcome: Result<(), Error>) -> (StatusCode, Value) {
    match outcome {
        Ok(()) => done(),
        Err(error) => (StatusCode::CONFLICT, json!(error.to_string())),
    }
}
