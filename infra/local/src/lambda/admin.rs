//! Functions over HTTP, for scripts and other processes: a part of [`Admin`](crate::Admin).

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Function, InvokeError};
use crate::edge::Edge;

/// The functions that an [`Admin`](crate::Admin) speaks for.
///
/// | request | does |
/// |---|---|
/// | `GET /_function` | [`Counters`](super::Counters) of the registry function |
/// | `GET /_instances` | its [`InstanceView`](super::InstanceView)s |
/// | `GET /_starts` | its [`Start`](super::Start)s |
/// | `GET /_logs` | its [`LogLine`](super::LogLine)s |
/// | `POST /_instances/kill` | kills all its instances now; answers how many |
/// | `POST /_instances/ID/kill` | kills one; answers whether there was one |
/// | `POST /_instances/recycle` | kills those that wait for an event; answers how many |
/// | `POST /_maintenance` | invokes the maintenance function once; answers its answer |
/// | `GET /_edge` | every [`EdgeRequest`](crate::edge::EdgeRequest) |
/// | `GET /_edge/counts` | requests by the origin that answered them: `{"registry": 3, "bucket": 1, "answered": 1}` |
/// | `DELETE /_edge` | forgets them, as `DELETE /_requests` does too |
#[derive(Clone, Debug)]
pub struct Functions {
    /// Handles HTTP requests.
    pub registry: Function,
    /// Handles the scheduled event, where there is one.
    pub maintenance: Option<Function>,
    /// What stands before the registry, where something does.
    pub edge: Option<Edge>,
}

/// None when the request is not for functions.
pub(crate) async fn answer(functions: &Functions, method: &Method, path: &str) -> Option<(StatusCode, Value)> {
    let registry = &functions.registry;
    let value = match (method, path) {
        (&Method::GET, "/_function") => json!(registry.counters()),
        (&Method::GET, "/_instances") => json!(registry.instances()),
        (&Method::GET, "/_starts") => json!(registry.starts()),
        (&Method::GET, "/_logs") => json!(registry.logs()),
        (&Method::POST, "/_instances/kill") => json!(registry.kill_all()),
        (&Method::POST, "/_instances/recycle") => json!(registry.recycle()),
        (&Method::GET, "/_edge") => json!(functions.edge.as_ref()?.requests()),
        (&Method::GET, "/_edge/counts") => json!(functions.edge.as_ref()?.counts()),
        (&Method::DELETE, "/_edge") => {
            functions.edge.as_ref()?.reset();
            json!("done")
        }
        (&Method::POST, "/_maintenance") => return Some(maintain(functions.maintenance.as_ref()?).await),
        (&Method::POST, _) => {
            let id = path.strip_prefix("/_instances/")?.strip_suffix("/kill")?.parse().ok()?;
            json!(registry.kill(id))
        }
        _ => return None,
    };
    Some((StatusCode::OK, value))
}

/// One run, by an event such as EventBridge Scheduler sends when none is configured.
async fn maintain(function: &Function) -> (StatusCode, Value) {
    match function.invoke("{}").await {
        Ok(answer) => match serde_json::from_slice(&answer) {
            Ok(answer) => (StatusCode::OK, answer),
            Err(_) => (StatusCode::BAD_GATEWAY, json!("the answer is not JSON")),
        },
        Err(error @ InvokeError::Throttled) => (StatusCode::TOO_MANY_REQUESTS, json!(error.to_string())),
        Err(error) => (StatusCode::BAD_GATEWAY, json!(error.to_string())),
    }
}
