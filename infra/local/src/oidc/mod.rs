//! An OpenID Connect issuer: discovery and keys ("OpenID Connect Discovery 1.0"), and tokens that say whatever they are
//! told to. Over plain HTTP, since it is on loopback.

mod keys;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use serde_json::{Map, Value, json};

use crate::Error;
use crate::front::{Admission, Arrived, Dropped, Front, ResponseBody, Service};
use crate::host::Host;
use crate::options::Options;
use keys::Keys;
pub use keys::TokenAlgorithm;

/// A running issuer. Stops on drop.
#[derive(Debug)]
pub struct OidcEmulator {
    address: SocketAddr,
    state: Arc<State>,
    _host: Arc<Host>,
}

#[derive(Debug)]
struct State {
    front: Front,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    keys: Keys,
    generation: u32,
    /// What discovery says otherwise.
    discovery: Map<String, Value>,
}

impl OidcEmulator {
    pub(crate) fn on(host: Arc<Host>, front: Front, options: &Options) -> Result<Self, Error> {
        let keys = Keys::generate(0).ok_or(Error::Randomness)?;
        let known = Mutex::new(Known { keys, generation: 0, discovery: Map::new() });
        let state = Arc::new(State { front, known });
        let (wanted, behind) = (options.oidc_address, state.clone());
        let address = host.serve(wanted, move |request| answer(behind.clone(), request));
        let address = address.map_err(|source| Error::Address(wanted, source))?;
        Ok(Self { address, state, _host: host })
    }

    /// Its URL, as its tokens have it: `http://127.0.0.1:PORT`.
    pub fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A token, signed with ES256, that says `claims` and, where those do not, `iss`, `iat` (now) and `exp` (in 5
    /// minutes). A claim that is null is left out.
    ///
    /// # Errors
    /// [`Error::Randomness`].
    pub fn mint(&self, claims: &Value) -> Result<String, Error> {
        self.mint_as(TokenAlgorithm::Es256, &Value::Null, claims)
    }

    /// The same, signed with `algorithm`, whose header says what `header` does instead of the truth.
    ///
    /// # Errors
    /// As [`OidcEmulator::mint`].
    pub fn mint_as(&self, algorithm: TokenAlgorithm, header: &Value, claims: &Value) -> Result<String, Error> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut all = json!({ "iss": self.issuer(), "iat": now, "exp": now + 300 });
        override_with(&mut all, claims);
        self.state.known().keys.sign(algorithm, header, &all).ok_or(Error::Randomness)
    }

    /// Signs with new keys from now on, and publishes those alone.
    ///
    /// # Errors
    /// As [`OidcEmulator::mint`].
    pub fn rotate(&self) -> Result<(), Error> {
        let mut known = self.state.known();
        known.generation += 1;
        known.keys = Keys::generate(known.generation).ok_or(Error::Randomness)?;
        Ok(())
    }

    /// The keys that it publishes.
    pub fn jwks(&self) -> Value {
        self.state.known().keys.jwks()
    }

    /// Says in discovery from now on what `values` do instead of the truth.
    pub fn discovery(&self, values: Map<String, Value>) {
        self.state.known().discovery = values;
    }
}

impl State {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts the members of `with` into `object`; those that are null take out what was there.
fn override_with(object: &mut Value, with: &Value) {
    let (Some(object), Some(with)) = (object.as_object_mut(), with.as_object()) else { return };
    for (name, value) in with {
        match value {
            Value::Null => object.remove(name),
            value => object.insert(name.clone(), value.clone()),
        };
    }
}

async fn answer(state: Arc<State>, request: Request<Incoming>) -> Result<Response<ResponseBody>, Dropped> {
    let (parts, _) = request.into_parts();
    let operation = match (&parts.method, parts.uri.path()) {
        (&Method::GET, "/.well-known/openid-configuration") => "Discovery",
        (&Method::GET, "/keys") => "Keys",
        _ => "Unknown",
    };
    let arrived = Arrived {
        service: Service::Oidc,
        operation: operation.to_owned(),
        method: parts.method.to_string(),
        bucket: None,
        key: None,
        source: None,
        prefix: None,
        tables: Vec::new(),
        presigned: false,
        access_key: None,
        request_bytes: 0,
    };
    let admitted = match state.front.admit(arrived, &parts.method).await? {
        Admission::Refuse(response) => return Ok(response),
        Admission::Forward(admitted) => admitted,
    };
    // On loopback the client reaches it by the address that it is known by.
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let (status, value) = match operation {
        "Discovery" => {
            let mut discovery =
                json!({ "issuer": format!("http://{host}"), "jwks_uri": format!("http://{host}/keys") });
            override_with(&mut discovery, &Value::Object(state.known().discovery.clone()));
            (StatusCode::OK, discovery)
        }
        "Keys" => (StatusCode::OK, state.known().keys.jwks()),
        _ => (StatusCode::NOT_FOUND, json!({ "error": "not_found" })),
    };
    let body = Full::new(Bytes::from(value.to_string())).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    admitted.finish(response)
}
