//! What CloudFront makes of what a function returned.

use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue};

use super::event::{Event, EventRequest, EventResponse, EventType};
use super::fields::Fields;
use super::headers::{is_disallowed, is_read_only};
use super::returned::{Fault, Returned};

/// Characters of a URI with its query string ("Restrictions on all edge functions", URI): it must have fewer.
const URI_LIMIT: usize = 8192;

/// What is to happen next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// viewer-request: the request goes on to an origin.
    Forward(Forwarded),
    /// viewer-request: this is the answer, and no origin hears of it.
    Answer(EventResponse),
    /// viewer-response: this is the answer. Without a body of its own it has the origin's.
    Respond(EventResponse),
}

/// A request on its way on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forwarded {
    /// As the function returned it.
    pub request: EventRequest,
    /// The query string where the function changed it; else it goes on as it came.
    pub query: Option<String>,
    /// The Id of the origin that the function chose; else it is that of the behavior.
    pub origin: Option<String>,
}

/// Why there is nothing to go on with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Failure {
    /// What the viewer is answered: 503 where the function failed, 502 where what it returned is not valid ("HTTP 503 status code
    /// (function execution error)"; "Restrictions on all edge functions").
    pub status: u16,
    /// In words, for the log alone.
    pub reason: String,
}

impl Failure {
    pub(super) fn execution(reason: String) -> Self {
        Self { status: 503, reason }
    }

    fn validation(reason: String) -> Self {
        Self { status: 502, reason }
    }
}

/// The verdict on JSON of `result.js`.
pub(super) fn of(event: &Event, json: String, origin: Option<String>) -> Result<Outcome, Failure> {
    let returned = Returned::parse(&json);
    let returned = returned.ok_or_else(|| Failure::validation("the function returned no object".to_owned()))?;
    let outcome = match &event.response {
        Some(given) => response(&returned, given).map(Outcome::Respond),
        None if returned.has("statusCode") => response(&returned, &EventResponse::default()).map(Outcome::Answer),
        None => request(&returned, &event.request, origin).map(Outcome::Forward),
    };
    outcome.map_err(Failure::validation)
}

fn request(returned: &Returned, given: &EventRequest, origin: Option<String>) -> Result<Forwarded, Fault> {
    if returned.text("method")? != given.method {
        return Err("method is read-only".to_owned());
    }
    let uri = returned.text("uri")?.to_owned();
    let querystring = returned.fields("querystring", &given.querystring)?;
    let headers = headers(returned, &given.headers, EventType::ViewerRequest)?;
    let cookies = returned.fields("cookies", &given.cookies)?;
    let query = (querystring != given.querystring).then(|| querystring.to_query());
    let size = uri.len() + query.as_ref().map_or(0, |query| query.len() + 1);
    let is_plain = |text: &str| !text.contains([' ', '#']) && !text.contains(char::is_control);
    if !uri.starts_with('/') {
        return Err("uri does not begin with /".to_owned());
    }
    if uri != given.uri && (uri.contains('?') || !is_plain(&uri) || PathAndQuery::try_from(uri.as_str()).is_err()) {
        return Err("uri is not a path".to_owned());
    }
    if query.as_deref().is_some_and(|query| !is_plain(query) || PathAndQuery::try_from(format!("/?{query}")).is_err()) {
        return Err("querystring has spaces, control characters or a #".to_owned());
    }
    if size >= URI_LIMIT {
        return Err(format!("uri and querystring have {size} characters, not less than {URI_LIMIT}"));
    }
    let method = given.method.clone();
    Ok(Forwarded { request: EventRequest { method, uri, querystring, headers, cookies }, query, origin })
}

fn response(returned: &Returned, given: &EventResponse) -> Result<EventResponse, Fault> {
    Ok(EventResponse {
        status_code: returned.status()?,
        status_description: returned.description()?,
        headers: headers(returned, &given.headers, EventType::ViewerResponse)?,
        cookies: returned.fields("cookies", &given.cookies)?,
        body: returned.body()?,
    })
}

fn headers(returned: &Returned, given: &Fields, event: EventType) -> Result<Fields, Fault> {
    let headers = returned.fields("headers", given)?;
    for field in &headers.0 {
        let name = field.name.as_str();
        if name.chars().any(|character| character.is_ascii_uppercase()) {
            return Err(format!("headers['{name}'] is not in lower case"));
        }
        if HeaderName::try_from(name).is_err() {
            return Err(format!("headers['{name}'] is not a header's name"));
        }
        if is_disallowed(name) {
            return Err(format!("headers['{name}'] is disallowed"));
        }
        if name == "cookie" || name == "set-cookie" {
            return Err(format!("headers['{name}']: cookies are not among the headers"));
        }
        if is_read_only(name, event) && given.get(name) != Some(field.values.as_slice()) {
            return Err(format!("headers['{name}'] is read-only"));
        }
        if field.values.iter().any(|value| HeaderValue::from_bytes(value.value.as_bytes()).is_err()) {
            return Err(format!("headers['{name}'] is not a header's value"));
        }
    }
    let gone = given.0.iter().find(|field| is_read_only(&field.name, event) && headers.get(&field.name).is_none());
    gone.map_or(Ok(headers), |field| Err(format!("headers['{}'] is read-only, and was removed", field.name)))
}
