//! A registry that is none: it answers as it was told to, and remembers what it was asked.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// The token that it gives out: its second part says `{"sub":"role:123456789012/Deployer"}`.
pub(crate) const TOKEN: &str = "e30.eyJzdWIiOiJyb2xlOjEyMzQ1Njc4OTAxMi9EZXBsb3llciJ9.c2ln";

pub(crate) struct Fake {
    pub(crate) host: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) target: String,
    pub(crate) authorization: String,
}

impl Asked {
    /// The name and the password that it came with.
    pub(crate) fn login(&self) -> (String, String) {
        let encoded = self.authorization.strip_prefix("Basic ").expect("a login");
        let pair = String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap();
        let (name, password) = pair.split_once(':').unwrap();
        (name.to_owned(), password.to_owned())
    }
}

/// Status line and headers, and body.
pub(crate) type Told = (String, String);

impl Fake {
    /// Answers by `tell`, which is given its host too.
    pub(crate) fn start(tell: impl Fn(&str, &Asked) -> Told + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (name, seen) = (host.clone(), asked.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let question = read(&stream);
                seen.lock().unwrap().push(question.clone());
                let (head, body) = tell(&name, &question);
                let length = body.len();
                let answer = format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Self { host, asked }
    }

    /// One with a token service, which says `token` to whoever logs in there.
    pub(crate) fn with_tokens(token: impl Fn(&Asked) -> Told + Send + 'static) -> Self {
        Self::start(move |host, asked| match asked {
            Asked { target, .. } if target.starts_with("/token?") => token(asked),
            Asked { authorization, .. } if *authorization == format!("Bearer {TOKEN}") => ok("{}"),
            _ => {
                let challenge = format!("Bearer realm=\"http://{host}/token\",service=\"{host}\"");
                (format!("401 Unauthorized\r\nwww-authenticate: {challenge}"), String::new())
            }
        })
    }

    /// One that lets in whoever logs in.
    pub(crate) fn kind() -> Self {
        Self::with_tokens(|_| ok(&format!("{{\"token\":\"{TOKEN}\"}}")))
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The login that its token service was asked with, once.
    pub(crate) fn login(&self) -> (String, String) {
        let asked = self.asked();
        let [asked] = &asked.iter().filter(|asked| asked.target.starts_with("/token?")).collect::<Vec<_>>()[..] else {
            panic!("{asked:?}");
        };
        asked.login()
    }
}

pub(crate) fn ok(body: &str) -> Told {
    ("200 OK".to_owned(), body.to_owned())
}

fn read(stream: &TcpStream) -> Asked {
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap).take_while(|line| !line.is_empty());
    let target = lines.next().and_then(|line| line.split(' ').nth(1).map(str::to_owned)).unwrap_or_default();
    let mut authorization = String::new();
    for line in lines {
        if let Some((_, value)) = line.split_once(": ").filter(|(name, _)| name.eq_ignore_ascii_case("authorization")) {
            value.clone_into(&mut authorization);
        }
    }
    Asked { target, authorization }
}
