//! The HTTP interface between Lambda and a process ("Using the Lambda runtime API", version 2018-06-01).

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use serde_json::json;
use tokio::sync::Mutex;
use tokio::sync::mpsc::UnboundedReceiver;

use super::InvokeError;
use super::event::{Event, trace};
use super::payload::{Unread, collect};
use super::pool::Pool;
use crate::front::{Dropped, ResponseBody};

type Answer = Result<Response<ResponseBody>, Dropped>;

const BASE: &str = "/2018-06-01/runtime/";

/// An error report larger than this is cut off from the connection: Lambda keeps 256 KB of it at most.
const ERROR_LIMIT: usize = 1 << 20;

/// The Runtime API of instance `id`, which gets its events from `events`.
pub(super) fn service(
    pool: &Arc<Pool>,
    id: u64,
    events: UnboundedReceiver<Event>,
) -> impl Fn(Request<Incoming>) -> Pin<Box<dyn Future<Output = Answer> + Send>> + Clone + Send + Sync + 'static {
    let api = Arc::new(RuntimeApi { pool: pool.clone(), id, events: Mutex::new(events) });
    move |request| {
        let api = api.clone();
        Box::pin(async move { api.answer(request).await })
    }
}

struct RuntimeApi {
    pool: Arc<Pool>,
    id: u64,
    events: Mutex<UnboundedReceiver<Event>>,
}

impl RuntimeApi {
    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let arrived = Instant::now();
        let (parts, body) = request.into_parts();
        let path: Vec<_> = parts.uri.path().strip_prefix(BASE).unwrap_or_default().split('/').collect();
        match (&parts.method, path.as_slice()) {
            (&Method::GET, ["invocation", "next"]) => self.next(arrived).await,
            (&Method::POST, ["invocation", request, "response"]) => self.response(request, body).await,
            (&Method::POST, ["invocation", request, "error"]) => self.error(request, kind(&parts.headers), body).await,
            (&Method::POST, ["init", "error"]) => self.init_error(body).await,
            _ => Ok(refuse(StatusCode::NOT_FOUND, "InvalidResource", "no such resource")),
        }
    }

    async fn next(&self, arrived: Instant) -> Answer {
        let mut events = self.events.lock().await;
        self.pool.polled(self.id, arrived);
        let Event { id, payload, deadline } = events.recv().await.ok_or(Dropped)?;
        let settings = &self.pool.settings;
        let arn = format!("arn:aws:lambda:{}:123456789012:function:{}", settings.region, settings.name);
        let trace = format!("{};Sampled=0", trace(&id, SystemTime::now()));
        Response::builder()
            .header(header::CONTENT_TYPE, "application/json")
            .header("lambda-runtime-aws-request-id", id)
            .header("lambda-runtime-deadline-ms", deadline.to_string())
            .header("lambda-runtime-invoked-function-arn", arn)
            .header("lambda-runtime-trace-id", trace)
            .body(full(payload))
            .map_err(|_| Dropped)
    }

    async fn response(&self, request: &str, mut body: Incoming) -> Answer {
        let limit = self.pool.settings.answer_limit;
        match collect(&mut body, limit).await {
            Ok(payload) => Ok(self.accepted(request, Ok(payload))),
            Err(Unread::TooLarge) => {
                // The process would take a closed connection for a crash of Lambda: it is let finish.
                while let Some(Ok(_)) = body.frame().await {}
                let kind = "Function.ResponseSizeTooLarge".to_owned();
                let message = format!("Response payload size exceeded maximum allowed payload size ({limit} bytes).");
                let payload = json!({ "errorMessage": message, "errorType": kind }).to_string();
                self.pool.answered(self.id, request, Err(InvokeError::Function { kind, payload }));
                let message = format!("Exceeded maximum allowed payload size ({limit} bytes).");
                Ok(refuse(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &message))
            }
            Err(Unread::Broken) => Err(Dropped),
        }
    }

    async fn error(&self, request: &str, kind: String, mut body: Incoming) -> Answer {
        let payload = collect(&mut body, ERROR_LIMIT).await.map_err(|_| Dropped)?;
        let payload = String::from_utf8_lossy(&payload).into_owned();
        Ok(self.accepted(request, Err(InvokeError::Function { kind, payload })))
    }

    async fn init_error(&self, mut body: Incoming) -> Answer {
        let payload = collect(&mut body, ERROR_LIMIT).await.map_err(|_| Dropped)?;
        self.pool.init_failed(self.id, String::from_utf8_lossy(&payload).into_owned());
        Ok(accepted())
    }

    fn accepted(&self, request: &str, outcome: Result<Bytes, InvokeError>) -> Response<ResponseBody> {
        if self.pool.answered(self.id, request, outcome) {
            accepted()
        } else {
            refuse(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID")
        }
    }
}

fn kind(headers: &http::HeaderMap) -> String {
    let kind = headers.get("lambda-runtime-function-error-type").and_then(|kind| kind.to_str().ok());
    kind.unwrap_or("Unhandled").to_owned()
}

fn accepted() -> Response<ResponseBody> {
    json_answer(StatusCode::ACCEPTED, json!({ "status": "OK" }))
}

fn refuse(status: StatusCode, kind: &str, message: &str) -> Response<ResponseBody> {
    json_answer(status, json!({ "errorMessage": message, "errorType": kind }))
}

fn json_answer(status: StatusCode, body: serde_json::Value) -> Response<ResponseBody> {
    let mut response = Response::new(full(body.to_string().into()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn full(body: Bytes) -> ResponseBody {
    Full::new(body).map_err(|never| match never {}).boxed_unsync()
}
