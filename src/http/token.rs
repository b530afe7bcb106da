//! `/token`: Docker's token protocol, in its first form ("Token Authentication Specification", GET) and by OAuth 2.0
//! ("Docker Registry v2 authentication using OAuth2", POST).

use axum::{body::Body, response::Response};
use http::{HeaderValue, Method, StatusCode, header, request::Parts};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    App, Arrival,
    answer::Answer,
    content::whole,
    fault::Fault,
    location::{base, host},
};
use crate::{
    api::{ErrorCode, Query},
    auth::{
        basic_challenge, basic_credentials,
        token::{Ask, Issued, NoToken, Proof, TokenService, scope},
    },
    context::{Caller, Context},
};

/// The longest form that is taken, in bytes.
const LONGEST_FORM: usize = 64 << 10;

/// The path of the service below what stands before `/v2/`.
pub(super) const PATH: &str = "/token";

/// The answer of `service`. `caller` becomes who the client proves to be.
pub(super) async fn answer(
    service: &TokenService,
    app: &App,
    ctx: &Context,
    (parts, body): (&Parts, Body),
    arrival: &Arrival,
    caller: &mut Caller,
) -> Result<Response, Fault> {
    let base = base(&app.options, parts, arrival);
    let host = host(&app.options, parts, arrival);
    let door = Ask {
        base: base.as_deref(),
        host: host.as_deref(),
        service: None,
        scopes: &[],
        proof: Proof::None,
        offline: false,
    };
    let issued = match parts.method {
        Method::GET | Method::HEAD => get(service, ctx, door, parts).await,
        Method::POST => post(service, ctx, door, parts, body).await,
        _ => Err(Fault::method(&parts.method, "GET, HEAD, POST")),
    };
    // What is said here of one client is for no other (RFC 6749, section 5.1).
    let no_store = HeaderValue::from_static("no-store");
    let issued = issued.map_err(|fault| fault.with(header::CACHE_CONTROL, no_store.clone()))?;
    *caller = issued.identity.caller();
    let shows_scope = parts.method == Method::POST;
    Ok(Answer::new(StatusCode::OK).with(header::CACHE_CONTROL, no_store).json(&said(issued, shows_scope)))
}

/// With the user's name and password in `Authorization`, or without. No refresh token is given out here, though clients
/// ask for one (`offline_token`): Docker's keeps it in place of the password, and so a login would end after a day.
async fn get(service: &TokenService, ctx: &Context, door: Ask<'_>, parts: &Parts) -> Result<Issued, Fault> {
    let query = parts.uri.query().map(Query::parse).unwrap_or_default();
    let credentials = match parts.headers.get(header::AUTHORIZATION) {
        None => None,
        Some(authorization) => {
            let reason = "the token service takes a user name and a password (Basic)";
            Some(basic_credentials(authorization).ok_or_else(|| wrong(door.base, reason))?)
        }
    };
    let proof = match &credentials {
        None => Proof::None,
        Some((name, password)) => Proof::Password { name, password },
    };
    let scopes: Vec<&str> = query.all("scope").collect();
    let ask = Ask { service: once(&query, "service")?, scopes: &scopes, proof, ..door };
    service.issue(ctx, &ask).await.map_err(|error| refused(door.base, error))
}

/// With everything in a form.
async fn post(
    service: &TokenService,
    ctx: &Context,
    door: Ask<'_>,
    parts: &Parts,
    body: Body,
) -> Result<Issued, Fault> {
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
    {
        return Err(invalid("the token service takes a form (application/x-www-form-urlencoded)"));
    }
    let form = whole(body, LONGEST_FORM).await?;
    let form = str::from_utf8(&form).map_err(|_| invalid("the form is not text"))?;
    let form = Query::parse(form);
    let needed = |key| once(&form, key)?.ok_or_else(|| invalid(&format!("the form has no {key}")));
    let proof = match needed("grant_type")? {
        "password" => Proof::Password { name: needed("username")?, password: needed("password")? },
        "refresh_token" => Proof::Refresh(needed("refresh_token")?),
        _ => return Err(invalid("the token service knows the grant types password and refresh_token")),
    };
    let scopes: Vec<&str> = form.all("scope").collect();
    let offline = once(&form, "access_type")? == Some("offline");
    let ask = Ask { service: once(&form, "service")?, scopes: &scopes, proof, offline, ..door };
    service.issue(ctx, &ask).await.map_err(|error| refused(door.base, error))
}

/// The value of `key`. Two of them would be read by one program so, and by the next otherwise.
fn once<'a>(query: &'a Query, key: &str) -> Result<Option<&'a str>, Fault> {
    let mut values = query.all(key);
    match (values.next(), values.next()) {
        (first, None) => Ok(first),
        _ => Err(invalid(&format!("{key} is there more than once"))),
    }
}

fn said(issued: Issued, shows_scope: bool) -> Value {
    let Issued { token, refresh, granted, issued_at, life, .. } = issued;
    let since = i64::try_from(issued_at.as_secs()).ok().and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok());
    // Both names for the token: older clients read the one, OAuth's the other.
    let mut said = json!({ "token": token, "access_token": token, "expires_in": life.as_secs() });
    if let Some(since) = since.and_then(|since| since.format(&Rfc3339).ok()) {
        said["issued_at"] = since.into();
    }
    if let Some(refresh) = refresh {
        said["refresh_token"] = refresh.into();
    }
    if shows_scope {
        said["scope"] = scope(&granted).into();
        said["token_type"] = "Bearer".into();
    }
    said
}

fn refused(base: Option<&str>, error: NoToken) -> Fault {
    match error {
        NoToken::Wrong(reason) => wrong(base, &reason),
        NoToken::Unavailable(error) => Fault::no_token(error),
        NoToken::Scope(_) | NoToken::Service(_) | NoToken::TooLong => invalid(&error.to_string()),
    }
}

fn wrong(base: Option<&str>, reason: &str) -> Fault {
    Fault::new(StatusCode::UNAUTHORIZED, ErrorCode::Unauthorized, reason)
        .with(header::WWW_AUTHENTICATE, basic_challenge(base.unwrap_or("Berth")))
}

fn invalid(reason: &str) -> Fault {
    Fault::bad(ErrorCode::Unsupported, reason)
}
