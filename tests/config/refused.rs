//! What is refused: one line each.

use crate::{environment, parse};

/// What follows the key where there is none.
#[derive(Clone, Copy)]
pub(crate) enum No {
    /// Nobody knows the key.
    Such(&'static str),
    /// Distribution does.
    Offer(&'static str),
    /// The value is not allowed.
    Value(&'static str, &'static str),
    /// Something else.
    Because(&'static str),
}

impl No {
    pub(crate) fn text(self) -> String {
        match self {
            Self::Such(section) => format!("unknown key; {}", allowed(section)),
            Self::Offer(section) => {
                format!("distribution has this key, Berth does not offer it yet; {}", allowed(section))
            }
            Self::Value(value, allowed) => format!("\"{value}\" is not allowed; allowed: {allowed}"),
            Self::Because(reason) => reason.to_owned(),
        }
    }
}

fn allowed(section: &str) -> &'static str {
    match section {
        "" => "allowed: version, log, storage, dynamodb, auth, http, validation",
        "log" => "allowed in log: level, formatter, accesslog, fields",
        "storage" => "allowed in storage: filesystem, s3, inmemory, delete, redirect, directupload, maintenance, cache",
        "auth" => "allowed in auth: htpasswd, token, berth, rules",
        "storage.maintenance" => "allowed in storage.maintenance: uploadpurging",
        "storage.s3" => {
            "allowed in storage.s3: bucket, region, regionendpoint, rootdirectory, forcepathstyle, accesskey, secretkey"
        }
        "http" => "allowed in http: addr, secret, host, prefix, relativeurls, headers, edge",
        _ => panic!("{section}"),
    }
}

const ENDPOINT: &str = "http://HOST[:PORT] or https://HOST[:PORT], with or without a path";
const HOST: &str = "http://HOST[:PORT] or https://HOST[:PORT], without a path";
const PREFIX: &str = "a path that begins and ends with /";
const EDGE_SECRET: &str = "one is too short, or has a space; \
                           allowed: a text of 16 bytes or more without spaces, several with commas between";
const SIZE: &str = "a whole number from 1 to 10000000";
const ADDRESS: &str = "HOST:PORT, or :PORT for all interfaces";

/// What follows `version: 0.1`, the place and key that the error names, and why.
#[rustfmt::skip] // a table
const WRONG: &[(&str, &str, No)] = &[
    // No such key
    ("port: 5000", "2: port", No::Such("")),
    ("Log: {}", "2: Log", No::Such("")),
    ("log.level: debug", "2: \"log.level\"", No::Such("")),
    ("'': x", "2: \"\"", No::Such("")),
    ("\"a\\nb\": x", "2: a\\nb", No::Such("")),
    ("storage:\n  s3:\n    bucket: b\n    bukket: c", "5: storage.s3.bukket", No::Such("storage.s3")),
    ("storage: {floppy: {}}", "2: storage.floppy", No::Such("storage")),
    // Distribution has it
    ("auth:\n  silly: {realm: r}", "3: auth.silly", No::Offer("auth")),
    ("auth:\n  token: {realm: r}", "3: auth.token", No::Because("has no keys; set auth.token.rootcertbundle or auth.token.jwks")),
    ("auth:\n  token: {realm: r, service: s, jwks: j}", "3: auth.token.issuer", No::Because("missing; auth.token needs it")),
    ("auth: {rules: x}", "2: auth.rules",
        No::Because("says what who may do, but nobody is asked who they are; set auth.berth or auth.htpasswd")),
    ("auth: {berth: {aws: true}}", "2: auth.berth",
        No::Because("wants auth.rules, without which anybody with AWS credentials could do anything; set them: allow WHO \
                     to ACTIONS on REPOSITORIES")),
    ("auth: {berth: {life: 2h}, rules: x}", "2: auth.berth.life", No::Value("2h", "a time from 1m to 1h, such as 5m")),
    ("auth: {berth: {oidc: 'http://evil.example.com x'}, rules: x}", "2: auth.berth.oidc",
        No::Value("http://evil.example.com x",
            "ISSUER AUDIENCE, the URL with https://, several on lines of their own or with ; between")),
    ("auth:\n  htpasswd: {users: a, path: p}", "3: auth.htpasswd.users",
        No::Because("auth.htpasswd.path is set as well; allowed: one of the two")),
    ("redis: {addrs: [a]}", "2: redis", No::Offer("")),
    ("http: {tls: {key: k}}", "2: http.tls", No::Offer("http")),
    ("storage: {s3: {bucket: b, encrypt: true}}", "2: storage.s3.encrypt", No::Offer("storage.s3")),
    ("storage: {maintenance: {readonly: {}}}", "2: storage.maintenance.readonly", No::Offer("storage.maintenance")),
    // Another shape
    ("storage: floppy", "2: storage",
        No::Because("needs a map; allowed in storage: filesystem, s3, inmemory, delete, redirect, directupload, maintenance, cache")),
    ("http: [addr]", "2: http",
        No::Because("needs a map; allowed in http: addr, secret, host, prefix, relativeurls, headers, edge")),
    ("http: {addr: {port: 5}}", "2: http.addr",
        No::Because("needs one value; allowed: HOST:PORT, or :PORT for all interfaces")),
    ("storage: {inmemory: {size: 5}}", "2: storage.inmemory", No::Because("takes nothing; allowed: no keys")),
    ("log: {fields: [a]}", "2: log.fields", No::Because("needs a map; allowed: a map of names, each with one value")),
    ("log: {fields: {a: [b]}}", "2: log.fields.a",
        No::Because("needs one value; allowed: a map of names, each with one value")),
    ("http: {headers: {X: {a: b}}}", "2: http.headers.X",
        No::Because("needs a value or a list of values; allowed: a map of header names, each with a value or a list of values")),
    ("http: {headers: {X: [[a]]}}", "2: http.headers.X",
        No::Because("needs a value or a list of values; allowed: a map of header names, each with a value or a list of values")),
    // Another value
    ("log: {level: loud}", "2: log.level", No::Value("loud", "error, warn, info, debug")),
    ("log: {formatter: logstash}", "2: log.formatter", No::Value("logstash", "text, json")),
    ("storage: {delete: {enabled: maybe}}", "2: storage.delete.enabled", No::Value("maybe", "true, false")),
    ("storage: {cache: {blobdescriptor: redis}}", "2: storage.cache.blobdescriptor", No::Value("redis", "inmemory, dynamodb")),
    ("storage: {cache: {blobdescriptorsize: 0}}", "2: storage.cache.blobdescriptorsize", No::Value("0", SIZE)),
    ("storage: {cache: {blobdescriptorsize: 1e3}}", "2: storage.cache.blobdescriptorsize", No::Value("1e3", SIZE)),
    ("storage: {s3: {bucket: a b}}", "2: storage.s3.bucket", No::Value("a b", "the name of a bucket")),
    ("storage: {s3: {bucket: a/b}}", "2: storage.s3.bucket", No::Value("a/b", "the name of a bucket")),
    ("storage: {s3: {bucket: b, region: evil.example/}}", "2: storage.s3.region",
        No::Value("evil.example/", "the name of a region, such as eu-central-1")),
    ("storage: {s3: {bucket: b, rootdirectory: a/../b}}", "2: storage.s3.rootdirectory",
        No::Value("a/../b", "names with / between them, none of them empty, . or ..")),
    ("storage: {s3: {bucket: b, regionendpoint: 'localhost:9000'}}", "2: storage.s3.regionendpoint",
        No::Value("localhost:9000", ENDPOINT)),
    ("storage: {s3: {bucket: b, regionendpoint: 'http://me:pw@h'}}", "2: storage.s3.regionendpoint",
        No::Because("holds a user name, and perhaps a password; allowed: http://HOST[:PORT] or https://HOST[:PORT], with or without a path")),
    ("dynamodb: {table: t}", "2: dynamodb.table", No::Value("t", "the name or ARN of a table")),
    ("http: {host: registry.example.com}", "2: http.host", No::Value("registry.example.com", HOST)),
    ("http: {host: 'https://h/path'}", "2: http.host", No::Value("https://h/path", HOST)),
    ("http: {host: 'https://h?query'}", "2: http.host", No::Value("https://h?query", HOST)),
    ("http: {host: 'https://h:port'}", "2: http.host", No::Value("https://h:port", HOST)),
    ("http: {host: 'ftp://h'}", "2: http.host", No::Value("ftp://h", HOST)),
    ("http: {prefix: /a}", "2: http.prefix", No::Value("/a", PREFIX)),
    ("http: {prefix: /a//b/}", "2: http.prefix", No::Value("/a//b/", PREFIX)),
    ("http: {prefix: /a/../}", "2: http.prefix", No::Value("/a/../", PREFIX)),
    ("http: {edge: {originsecret: short}}", "2: http.edge.originsecret", No::Because(EDGE_SECRET)),
    ("http: {edge: {originsecret: 'sixteen bytes or more,short'}}", "2: http.edge.originsecret", No::Because(EDGE_SECRET)),
    ("http: {edge: {uploadkey: 'sixteen bytes or more'}}", "2: http.edge.uploadkey", No::Because(EDGE_SECRET)),
    ("http: {edge: {uploadkey: 'sixteen-bytes-or-more,'}}", "2: http.edge.uploadkey", No::Because(EDGE_SECRET)),
    ("http: {edge: {required: maybe}}", "2: http.edge.required", No::Value("maybe", "true, false")),
    ("http: {addr: 5000}", "2: http.addr", No::Value("5000", ADDRESS)),
    ("http: {addr: localhost}", "2: http.addr", No::Value("localhost", ADDRESS)),
    ("http: {addr: 'localhost:'}", "2: http.addr", No::Value("localhost:", ADDRESS)),
    ("http: {addr: 'localhost:http'}", "2: http.addr", No::Value("localhost:http", ADDRESS)),
    ("http: {addr: 'localhost:65536'}", "2: http.addr", No::Value("localhost:65536", ADDRESS)),
    ("http: {addr: '::1:5000'}", "2: http.addr", No::Value("::1:5000", ADDRESS)),
    ("http: {addr: ':+5'}", "2: http.addr", No::Value(":+5", ADDRESS)),
    ("http: {headers: {'X Y': z}}", "2: http.headers.X Y",
        No::Because("no name of a header; allowed: a map of header names, each with a value or a list of values")),
    ("http: {headers: {X: \"a\\r\\nb\"}}", "2: http.headers.X",
        No::Because("\"a\\r\\nb\" is no value of a header; allowed: a map of header names, each with a value or a list of values")),
    ("http: {headers: {Content-Length: 5}}", "2: http.headers.Content-Length",
        No::Because("a header that the registry itself sets; allowed: a map of header names, each with a value or a list of values")),
    ("http: {headers: {Docker-Content-Digest: a}}", "2: http.headers.Docker-Content-Digest",
        No::Because("a header that the registry itself sets; allowed: a map of header names, each with a value or a list of values")),
    ("validation: {manifests: {indexes: {platforms: list}}}", "2: validation.manifests.indexes.platforms", No::Value("list", "all, none")),
    ("validation: {manifests: {images: {layers: some}}}", "2: validation.manifests.images.layers", No::Value("some", "all, none")),
    // What does not go together, or is missing
    ("storage:\n  inmemory:\n  s3: {bucket: b}", "4: storage.s3",
        No::Because("inmemory is given too (config.yml:3); allowed: one of filesystem, s3, inmemory")),
    ("storage:\n  s3:\n    region: r", "3: storage.s3.bucket", No::Because("missing; allowed: the name of a bucket")),
    ("storage: {s3: {bucket: b, secretkey: s}}", "2: storage.s3.secretkey",
        No::Because("given without the other half; allowed: a secret access key, together with storage.s3.accesskey")),
    ("storage: {cache: {blobdescriptor: inmemory, layerinfo: inmemory}}", "2: storage.cache.layerinfo",
        No::Because("another name of blobdescriptor, which is given too (config.yml:2); allowed: inmemory, dynamodb")),
    ("storage:\n  cache: {blobdescriptor: dynamodb}", "3: dynamodb.table",
        No::Because("missing, and storage.cache.blobdescriptor: dynamodb needs it; allowed: the name or ARN of a table")),
    // No YAML
    ("log: {level: debug", "2", No::Because("not readable as YAML: unclosed bracket '{'")),
    ("log:\n  level: info\nlog:\n  level: debug", "4",
        No::Because("not readable as YAML: duplicate mapping key `log` is not allowed here")),
    ("---\nversion: 0.1", "3", No::Because("not readable as YAML: only single YAML document expected but multiple found")),
];

#[test]
fn what_is_wrong_is_said_in_one_line() {
    for (text, place, no) in WRONG {
        let message = parse(&format!("version: 0.1\n{text}")).unwrap_err();
        assert_eq!(message, format!("config.yml:{place}: {}", no.text()), "{text}");
    }
    for (text, message) in [
        ("", "config.yml: version: missing; allowed: 0.1"),
        ("log: {level: debug}", "config.yml: version: missing; allowed: 0.1"),
        ("version: 0.2", "config.yml:1: version: \"0.2\" is not allowed; allowed: 0.1"),
        ("version: 0.10", "config.yml:1: version: \"0.10\" is not allowed; allowed: 0.1"),
        ("text", "config.yml:1: needs a map; allowed: version, log, storage, dynamodb, auth, http, validation"),
    ] {
        assert_eq!(parse(text).unwrap_err(), message, "{text}");
    }
}

#[test]
fn secrets_are_not_shown() {
    let config = environment([
        ("REGISTRY_STORAGE_S3_BUCKET", "b"),
        ("REGISTRY_STORAGE_S3_ACCESSKEY", "id"),
        ("REGISTRY_STORAGE_S3_SECRETKEY", "hunter2"),
        ("REGISTRY_HTTP_SECRET", "hunter2"),
        ("REGISTRY_HTTP_EDGE_ORIGINSECRET", "hunter2-hunter2-hunter2"),
        ("REGISTRY_HTTP_EDGE_UPLOADKEY", "hunter2-hunter2-hunter2"),
    ])
    .unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
    for text in [
        "http: {secret: [hunter2]}",
        "http: {secret: hunter2: x}",
        "http: {edge: {originsecret: hunter2}}",
        "http: {edge: {uploadkey: [hunter2]}}",
        "http: {secret: [hunter2",
        "http: {secret: *hunter2 }",
        "http: {secret: !!int hunter2}",
        "http: {secret: \"hunter2}",
        "storage: {s3: {bucket: b, secretkey: hunter2}}",
        "storage: {s3: {bucket: b, secretkey: {hunter2: x}}}",
        "http: {host: 'https://me:hunter2@example.com'}",
    ] {
        let error = parse(&format!("version: 0.1\n{text}")).unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
    }
    for value in ["\"hunter2\\x\"", "'hunter2''"] {
        let error = environment([("REGISTRY_HTTP_SECRET", value)]).unwrap_err();
        assert!(error.starts_with("REGISTRY_HTTP_SECRET: ") && !error.contains("hunter2"), "{error}");
    }
}
