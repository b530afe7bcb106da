//! A registry that can be told to go wrong in one place.

use std::{collections::HashMap, sync::Mutex};

use berth::digest::Digest;
use bytes::Bytes;

use crate::server::{Asked, Reply, Server, reply};

/// The Authorization of alice, whose password is "wonderland" (RFC 7617).
pub(crate) const ALICE: &str = "Basic YWxpY2U6d29uZGVybGFuZA==";
/// What the function takes at most.
pub(crate) const LAMBDA: u64 = 4 << 20;

/// How it behaves.
pub(crate) struct Fake {
    /// The header that holds the challenge.
    pub(crate) challenge: &'static str,
    /// The status by which a login is asked for.
    pub(crate) unauthorized: u16,
    /// The header Date of the answer to a request without a login.
    pub(crate) date: Option<String>,
    /// Whether sessions have a ticket for uploads through CloudFront.
    pub(crate) ticket: bool,
    pub(crate) content: Mutex<HashMap<String, Bytes>>,
}

impl Default for Fake {
    fn default() -> Self {
        let content = Mutex::default();
        Self { challenge: "www-authenticate", unauthorized: 401, date: None, ticket: false, content }
    }
}

impl Fake {
    /// Serves it; what `first` answers goes before.
    pub(crate) async fn start(self, first: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static) -> Server {
        Server::start(move |asked| first(asked).unwrap_or_else(|| self.answer(asked))).await
    }

    fn answer(&self, asked: &Asked) -> Reply {
        if asked.target.starts_with("/token") {
            return match asked.header("authorization") {
                Some(ALICE) => reply(200, &[], r#"{"token":"t","expires_in":300}"#),
                _ => reply(401, &[], r#"{"errors":[{"code":"UNAUTHORIZED","message":"wrong name or password"}]}"#),
            };
        }
        if asked.header("authorization") != Some("Bearer t") {
            let mut headers = vec![(self.challenge, "Bearer realm=\"/token\",service=\"s\"")];
            headers.extend(self.date.as_deref().map(|date| ("date", date)));
            if self.unauthorized == 300 {
                headers.push(("x-berth-status", "401"));
            }
            return reply(self.unauthorized, &headers, r#"{"errors":[{"code":"UNAUTHORIZED"}]}"#);
        }
        let (path, query) = asked.target.split_once('?').unwrap_or((&asked.target, ""));
        let digest = || {
            let text = query.split('&').find_map(|pair| pair.strip_prefix("digest=")).unwrap().replace("%3A", ":");
            text.parse::<Digest>().unwrap()
        };
        let mut content = self.content.lock().unwrap();
        match asked.method.as_str() {
            "GET" if path == "/v2/" => reply(200, &[], "{}"),
            "POST" => {
                let ticket = if self.ticket { "&_edge=1.x" } else { "" };
                reply(202, &[("location", &format!("{path}1?_state=s{ticket}"))], "")
            }
            "PUT" if path.contains("/manifests/") => {
                let (name, _) = path.rsplit_once('/').unwrap();
                let body = asked.body.clone().unwrap();
                let digest = Digest::canonical(&body).to_string();
                content.insert(format!("{name}/{digest}"), body.clone());
                content.insert(path.to_owned(), body);
                reply(201, &[("docker-content-digest", &digest)], "")
            }
            "PUT" => {
                let body = asked.body.clone().unwrap();
                assert_eq!(Digest::canonical(&body), digest());
                let (name, _) = path.split_once("/uploads/").unwrap();
                content.insert(format!("{name}/{}", digest()), body);
                match asked.length > LAMBDA {
                    true => reply(303, &[("location", &format!("{}&commit=edge", asked.target))], ""),
                    false => reply(201, &[], ""),
                }
            }
            "GET" if query.contains("commit=edge") => {
                reply(201, &[("docker-content-digest", &digest().to_string())], "")
            }
            "DELETE" if path.contains("/uploads/") => reply(204, &[], ""),
            "DELETE" => match content.remove(path) {
                Some(gone) => {
                    content.retain(|name, kept| !name.contains("/manifests/") || *kept != gone);
                    reply(202, &[], "")
                }
                None => reply(404, &[], ""),
            },
            _ => match content.get(path) {
                Some(found) => {
                    let digest = Digest::canonical(found).to_string();
                    reply(200, &[("docker-content-digest", &digest)], found.clone())
                }
                None => reply(404, &[], r#"{"errors":[{"code":"BLOB_UNKNOWN"}]}"#),
            },
        }
    }
}

/// No answer of its own.
pub(crate) fn nothing(_asked: &Asked) -> Option<Reply> {
    None
}

/// Where a server is.
pub(crate) fn host(server: &Server) -> String {
    server.addr.to_string()
}
