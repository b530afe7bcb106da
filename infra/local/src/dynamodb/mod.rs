//! A DynamoDB endpoint: dynoxide on SQLite in memory, behind the log and the faults.
//!
//! dynoxide serves HTTP itself on a port of its own; this module's endpoint passes every request on to it. Signatures are
//! checked for presence, not for truth.

mod needs;
mod request;
mod table;
mod units;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use dynoxide::Database;
use http::{Request, Response, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::front::{Admission, Dropped, Front, ResponseBody, Rule, Service, error};
use crate::host::Host;
use crate::options::Options;
use crate::{Error, Recorded};

/// DynamoDB's own bound on a request ("Service, account, and table quotas"): 16 MB, of BatchWriteItem.
const LARGEST_REQUEST: usize = 16 << 20;

/// A running DynamoDB endpoint with one table. Stops on drop.
#[derive(Debug)]
pub struct DynamoDbEmulator {
    address: SocketAddr,
    options: Options,
    tables: table::Tables,
    front: Front,
    _host: Arc<Host>,
}

impl DynamoDbEmulator {
    /// Starts on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// [`Error`] when the operating system refuses a thread or a socket.
    pub async fn start() -> Result<Self, Error> {
        Self::start_with(Options::default()).await
    }

    /// Starts as told.
    ///
    /// # Errors
    /// As [`DynamoDbEmulator::start`]; also when the address is taken.
    pub async fn start_with(options: Options) -> Result<Self, Error> {
        let host = Host::start().map_err(Error::Thread)?;
        Self::on(host, Front::new(&options), options)
    }

    pub(crate) fn on(host: Arc<Host>, front: Front, options: Options) -> Result<Self, Error> {
        let database = Database::memory().map_err(|error| Error::Database(error.to_string()))?;
        let tables = table::Tables::new(database.clone(), options.table.clone());
        tables.create()?;
        let engine = engine(&host, database)?;
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let (client, log) = (Client::builder(TokioExecutor::new()).build(connector), front.clone());
        let tables_arn: Arc<str> = format!("arn:aws:dynamodb:{}:{}:table/", options.region, options.account).into();
        let answer = move |request| answer(client.clone(), engine, log.clone(), tables_arn.clone(), request);
        let wanted = options.dynamodb_address;
        let address = host.serve(wanted, answer).map_err(|source| Error::Address(wanted, source))?;
        Ok(Self { address, options, tables, front, _host: host })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The table that exists from the start: keys `pk` and `sk`, strings, on demand.
    pub fn table(&self) -> &str {
        &self.options.table
    }

    /// What it was started with: keys, region, names.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Drops the table with all its items: requests get `ResourceNotFoundException` from now on.
    ///
    /// # Errors
    /// [`Error::Database`] when it is dropped already.
    pub fn drop_table(&self) -> Result<(), Error> {
        self.tables.drop()
    }

    /// Makes the table again, empty.
    ///
    /// # Errors
    /// [`Error::Database`] when it exists.
    pub fn create_table(&self) -> Result<(), Error> {
        self.tables.create()
    }

    /// Every item of the table in DynamoDB's JSON (`{"pk": {"S": ".."}, ..}`), in no order, without a request.
    ///
    /// # Errors
    /// [`Error::Database`] when the table is dropped.
    pub fn items(&self) -> Result<Vec<serde_json::Value>, Error> {
        self.tables.items()
    }

    /// Every request since the start or the last reset, in the order of arrival.
    pub fn requests(&self) -> Vec<Recorded> {
        self.front.log.requests(Some(Service::DynamoDb))
    }

    /// How often each operation was called (`dynamodb:GetItem`).
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.front.log.counts(Some(Service::DynamoDb))
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

/// Starts dynoxide's own server on a free port.
fn engine(host: &Host, database: Database) -> Result<SocketAddr, Error> {
    let failed = |error: std::io::Error| Error::Database(error.to_string());
    let listener = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    if let Some(handle) = host.handle() {
        let _context = handle.enter();
        let listener = tokio::net::TcpListener::from_std(listener).map_err(failed)?;
        handle.spawn(dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()));
    }
    Ok(address)
}

/// One request, from the socket to its answer.
async fn answer(
    client: Client<HttpConnector, Full<Bytes>>,
    engine: SocketAddr,
    front: Front,
    tables_arn: Arc<str>,
    request: Request<Incoming>,
) -> Result<Response<ResponseBody>, Dropped> {
    let (mut parts, body) = request.into_parts();
    let body = Limited::new(body, LARGEST_REQUEST).collect().await.map_err(|_| Dropped)?.to_bytes();
    let described = request::describe(&parts, &body);
    let recognised = front.identities.recognise(described.access_key.as_deref());
    let operation = described.operation.clone();
    match front.admit(described, &parts.method).await? {
        Admission::Refuse(response) => Ok(response),
        Admission::Forward(admitted) => {
            if !recognised {
                let message = "The security token included in the request is invalid.";
                let code = "UnrecognizedClientException";
                return admitted.finish(error(Service::DynamoDb, &parts.method, 400, code, message));
            }
            if let Some(caller) = &admitted.caller {
                let needs = needs::of(&caller.request().operation, &body, &tables_arn);
                if let Err(denial) = caller.demand(needs.as_deref()) {
                    let code = "AccessDeniedException";
                    return admitted.finish(error(Service::DynamoDb, &parts.method, 400, code, &denial.message));
                }
            }
            let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
            parts.uri = Uri::builder()
                .scheme("http")
                .authority(engine.to_string())
                .path_and_query(path)
                .build()
                .map_err(|_| Dropped)?;
            parts.headers.remove(header::CONNECTION);
            parts.headers.remove(header::CONTENT_LENGTH); // of the body as it came
            let body = Full::new(units::ask(&operation, body));
            let response = client.request(Request::from_parts(parts, body)).await.map_err(|_| Dropped)?;
            let (parts, body) = response.into_parts();
            let body = body.collect().await.map_err(|_| Dropped)?.to_bytes();
            admitted.consumed(units::consumed(&body));
            let body = Full::new(body).map_err(|never| match never {}).boxed_unsync();
            admitted.finish(Response::from_parts(parts, body))
        }
    }
}
