//! `REGISTRY_*` variables.

use berth::config::{Config, Driver, S3, Secret, keys};

use crate::{environment, header, overridden, pairs, refused::No};

/// A key on P-256, in base64.
const KEY: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgDfAn8U5EAHQkmPySos+ybJ4Wc58JdvhzcB+HzEwA7y6hRANCAARSY9V5TXrR0VKJn25HYJixbVgQmDALK+BCMdV1opSPSOl88/aYFucr5QeDA3QlULophpAZqgo3yxJ5pF3BnWro";

/// A value of each key that differs from its default, and the variables without which it means nothing.
fn sample(key: &str) -> (&'static str, Vec<(String, String)>) {
    let bucket = || pairs([("REGISTRY_STORAGE_S3_BUCKET", "base")]);
    let table = || pairs([("REGISTRY_STORAGE_CACHE_BLOBDESCRIPTOR", "dynamodb"), ("REGISTRY_DYNAMODB_TABLE", "base")]);
    let rules = || pairs([("REGISTRY_AUTH_RULES", "allow user:a to pull on x"), ("REGISTRY_AUTH_BERTH_LIFE", "7m")]);
    let token = |without: &str| {
        let all = [("REALM", "r"), ("SERVICE", "s"), ("ISSUER", "i"), ("JWKS", "j")].into_iter();
        let others = all.filter(|(name, _)| *name != without);
        others.map(|(name, value)| (format!("REGISTRY_AUTH_TOKEN_{name}"), value.to_owned())).collect()
    };
    match key {
        "version" => ("0.1", vec![]),
        "log.level" => ("debug", vec![]),
        "log.formatter" => ("json", vec![]),
        "log.accesslog.disabled" => ("true", vec![]),
        "log.fields" => ("{service: registry}", vec![]),
        "storage.filesystem.rootdirectory" => ("/srv/registry", vec![]),
        "storage.s3.bucket" => ("images", vec![]),
        "storage.s3.region" => ("eu-central-1", bucket()),
        "storage.s3.regionendpoint" => ("http://localhost:9000", bucket()),
        "storage.s3.rootdirectory" => ("/images", bucket()),
        "storage.s3.forcepathstyle" => ("true", bucket()),
        "storage.s3.accesskey" => ("id", [bucket(), pairs([("REGISTRY_STORAGE_S3_SECRETKEY", "base")])].concat()),
        "storage.s3.secretkey" => ("sesame", [bucket(), pairs([("REGISTRY_STORAGE_S3_ACCESSKEY", "base")])].concat()),
        "storage.inmemory" => ("", vec![]),
        "storage.delete.enabled" => ("false", vec![]),
        "storage.redirect.disable" => ("true", vec![]),
        "storage.redirect.cloudfront.keypairid" => {
            ("K2JCJMDEHXQW5F", [bucket(), pairs([("REGISTRY_STORAGE_REDIRECT_CLOUDFRONT_PRIVATEKEY", KEY)])].concat())
        }
        "storage.redirect.cloudfront.privatekey" => {
            (KEY, [bucket(), pairs([("REGISTRY_STORAGE_REDIRECT_CLOUDFRONT_KEYPAIRID", "K1")])].concat())
        }
        "storage.redirect.cloudfront.life" => (
            "7m",
            [
                bucket(),
                pairs([
                    ("REGISTRY_STORAGE_REDIRECT_CLOUDFRONT_KEYPAIRID", "K1"),
                    ("REGISTRY_STORAGE_REDIRECT_CLOUDFRONT_PRIVATEKEY", KEY),
                ]),
            ]
            .concat(),
        ),
        "storage.directupload.largestput" | "storage.directupload.part" => ("7", vec![]),
        "storage.cache.blobdescriptor" | "storage.cache.layerinfo" => ("inmemory", vec![]),
        "storage.cache.blobdescriptorsize" => ("7", vec![]),
        "storage.cache.rememberaccess" => ("false", vec![]),
        "dynamodb.table" => ("descriptors", pairs([("REGISTRY_STORAGE_CACHE_BLOBDESCRIPTOR", "dynamodb")])),
        "dynamodb.region" => ("eu-central-1", table()),
        "dynamodb.endpoint" => ("http://localhost:8000", table()),
        "storage.maintenance.uploadpurging.enabled" => ("false", vec![]),
        "storage.maintenance.uploadpurging.age" => ("1h30m", vec![]),
        "storage.maintenance.uploadpurging.interval" => ("90s", vec![]),
        "storage.maintenance.uploadpurging.dryrun" => ("true", vec![]),
        "auth.htpasswd.realm" => ("basic", pairs([("REGISTRY_AUTH_HTPASSWD_USERS", "a:b")])),
        "auth.htpasswd.path" => ("/etc/htpasswd", vec![]),
        "auth.berth.life" => ("10m", pairs([("REGISTRY_AUTH_RULES", ""), ("REGISTRY_AUTH_BERTH_AWS", "true")])),
        "auth.berth.aws" | "auth.berth.keys" => ("false", rules()),
        "auth.berth.oidc" => ("https://token.example.com berth", rules()),
        "auth.token.realm" => ("https://tokens.example.com", token("REALM")),
        "auth.token.service" => ("registry", token("SERVICE")),
        "auth.token.issuer" => ("issuer", token("ISSUER")),
        "auth.token.rootcertbundle" => ("/certs.pem", token("JWKS")),
        "auth.token.jwks" => ("/jwks.json", token("JWKS")),
        "auth.rules" => ("allow user:* to pull on x", pairs([("REGISTRY_AUTH_HTPASSWD_USERS", "a:b")])),
        "auth.htpasswd.users" => ("alice:$2y$05$abc", vec![]),
        "http.addr" => ("0.0.0.0:80", vec![]),
        "http.secret" => ("a secret of many bytes", vec![]),
        "http.host" => ("https://registry.example.com", vec![]),
        "http.prefix" => ("/prefix/", vec![]),
        "http.relativeurls" => ("true", vec![]),
        "http.edge.originsecret" | "http.edge.uploadkey" => ("of-the-edge-the-newest", vec![]),
        "http.edge.required" => ("false", vec![]),
        "http.headers" => ("{X-One: [two]}", vec![]),
        "validation.manifests.indexes.platforms" | "validation.manifests.images.layers" => ("none", vec![]),
        _ => panic!("{key} is new: give it a value here"),
    }
}

/// Without what tells where a value stood.
fn anonymous(mut config: Config) -> Config {
    config.storage.chosen_by = None;
    config.warnings.clear();
    config
}

#[test]
fn every_key_is_set_by_its_variable_as_by_the_file() {
    for key in keys() {
        let (value, base) = sample(key);
        let name = format!("REGISTRY_{}", key.to_ascii_uppercase().replace('.', "_"));
        let nested = key.split('.').rev().fold(value.to_owned(), |inside, name| format!("{{{name}: {inside}}}"));
        let file = if key == "version" { nested } else { nested.replacen('{', "{version: 0.1, ", 1) };
        let by_variable = |name: String| {
            let variables = [base.clone(), vec![(name, value.to_owned())]].concat();
            Config::load(None, variables).map(anonymous)
        };

        let by_file = Config::parse("config.yml", &file, base.clone()).map(anonymous);
        assert!(by_file.is_ok(), "{key}: {by_file:?}");
        assert_eq!(by_variable(name.clone()), by_file, "{key}");
        assert_eq!(by_variable(name.to_ascii_lowercase()), by_file, "{key} in lower case");
        if key != "version" {
            assert_ne!(Config::load(None, base.clone()).map(anonymous), by_file, "{key} has an effect");
        }
    }
}

#[test]
fn variables_override_the_file() {
    let file = "
version: 0.1
log: {level: info, fields: {Service: registry}}
storage:
  filesystem: {rootdirectory: /srv}
  delete: {enabled: false}
http:
  host: https://registry.example.com
  headers: {X-Frame-Options: [DENY], X-List: [a, b]}
";
    let config = overridden(
        file,
        [
            ("REGISTRY_LOG_LEVEL", "error"),
            ("REGISTRY_LOG_FIELDS_SERVICE", "other"),
            ("REGISTRY_LOG_FIELDS_MY_PORT", "5"),
            ("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", "/other: #1"),
            ("REGISTRY_HTTP_HEADERS_X-FRAME-OPTIONS", "[SAMEORIGIN]"),
            ("REGISTRY_HTTP_HEADERS_X-LIST_1", "c"),
            ("REGISTRY_HTTP_HEADERS_X-LIST_2", "d: e"),
            ("REGISTRY_HTTP_HEADERS_X-NEW", "max-age=5; more"),
            ("REGISTRY_HTTP_SECRET", "'a secret in quotes'"),
            ("REGISTRY_HTTP_HOST", ""),
        ],
    )
    .unwrap();
    assert_eq!(config.log.level, tracing::Level::ERROR);
    assert_eq!(config.log.fields["Service"], "other");
    assert_eq!(config.log.fields["my_port"], "5");
    assert_eq!(config.storage.driver, Driver::Filesystem { root: "/other: #1".into() });
    assert_eq!(config.storage.chosen_by.as_deref(), Some("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY"));
    assert!(!config.storage.delete, "its neighbour stays");
    assert_eq!(header(&config, "x-frame-options"), ["SAMEORIGIN"]);
    assert_eq!(header(&config, "x-list"), ["a", "c", "d: e"]);
    assert_eq!(header(&config, "x-new"), ["max-age=5; more"]);
    assert_eq!(header(&config, "x-content-type-options"), ["nosniff"]);
    assert_eq!(config.http.secret.as_ref().map(Secret::expose), Some("a secret in quotes"));
    assert_eq!(config.http.host, None, "empty is unset");

    // A driver named for the whole section replaces it, before what is more specific is set.
    let config = overridden(
        file,
        [("REGISTRY_STORAGE_S3_BUCKET", "images"), ("REGISTRY_STORAGE", "s3"), ("REGISTRY_STORAGE_S3_REGION", "r1")],
    )
    .unwrap();
    assert!(matches!(config.storage.driver, Driver::S3(S3 { bucket, .. }) if bucket == "images"));
    assert!(config.storage.delete, "its neighbour is gone");

    // A section is YAML, and replaces all below it.
    let variables = [("REGISTRY_HTTP", "{addr: ':1', headers: {X-A: b}}"), ("REGISTRY_LOG", "")];
    let config = overridden(file, variables).unwrap();
    assert_eq!(config.http.addr.port, 1);
    assert_eq!(header(&config, "x-list"), [""; 0]);
    assert!(config.log.fields.is_empty());
}

const NO_USERS: &str = "names no users; set auth.htpasswd.users (NAME:HASH, as htpasswd -nB NAME prints it) or \
                        auth.htpasswd.path (a file of such lines)";

#[test]
#[rustfmt::skip] // a table
fn variables_that_are_wrong_are_named() {
    for (name, value, key, no) in [
        ("REGISTRY_HTPP_ADDR", ":1", "htpp.addr: ", No::Such("")),
        ("REGISTRY_", "", "", No::Such("")),
        ("REGISTRY__LOG", "", ".log: ", No::Such("")),
        ("REGISTRY_LOG_LEVEL_X", "", "log.level.x: ", No::Such("log")),
        ("REGISTRY_HTTP_PORT", "5000", "http.port: ", No::Such("http")),
        ("REGISTRY_AUTH", "htpasswd", "auth: ", No::Because("needs a map; allowed in auth: htpasswd, token, berth, rules")),
        ("REGISTRY_AUTH_SILLY_REALM", "r", "auth.silly.realm: ", No::Offer("auth")),
        // A variable that was to name users, and came out empty, does not open the registry.
        ("REGISTRY_AUTH_HTPASSWD_USERS", "", "auth.htpasswd: ", No::Because(NO_USERS)),
        ("REGISTRY_AUTH_HTPASSWD_REALM", "r", "auth.htpasswd: ", No::Because(NO_USERS)),
        ("REGISTRY_STORAGE_MAINTENANCE_UPLOADPURGING_AGE", "week", "storage.maintenance.uploadpurging.age: ",
            No::Value("week", "a time of a minute or more, such as 168h or 1h30m")),
        ("REGISTRY_STORAGE_MAINTENANCE_UPLOADPURGING_AGE", "59s", "storage.maintenance.uploadpurging.age: ",
            No::Value("59s", "a time of a minute or more, such as 168h or 1h30m")),
        ("REGISTRY_STORAGE_DIRECTUPLOAD_LARGESTPUT", "5000", "storage.directupload.largestput: ",
            No::Value("5000", "MiB, a whole number from 1 to 4768")),
        ("REGISTRY_STORAGE_DIRECTUPLOAD_PART", "4", "storage.directupload.part: ",
            No::Value("4", "MiB, a whole number from 5 to 5120")),
        ("REGISTRY_STORAGE_REDIRECT_CLOUDFRONT_LIFE", "59s", "storage.redirect.cloudfront.life: ",
            No::Value("59s", "a time from 1m to 24h, such as 20m")),
        ("REGISTRY_STORAGE_REDIRECT_CLOUDFRONT_LIFE", "25h", "storage.redirect.cloudfront.life: ",
            No::Value("25h", "a time from 1m to 24h, such as 20m")),
        ("REGISTRY_STORAGE_REDIRECT_CLOUDFRONT_KEYPAIRID", "K1", "storage.redirect.cloudfront.keypairid: ",
            No::Because("given without the other half; allowed: the id of a public key in CloudFront, together with storage.redirect.cloudfront.privatekey")),
        ("REGISTRY_STORAGE_REDIRECT_CLOUDFRONT_PRIVATEKEY", "K1", "storage.redirect.cloudfront.privatekey: ",
            No::Because("given without the other half; allowed: PKCS#8 in base64 or PEM, together with storage.redirect.cloudfront.keypairid")),
        ("registry_log_level", "loud", "log.level: ", No::Value("loud", "error, warn, info, debug")),
        ("REGISTRY_VERSION", "1", "version: ", No::Value("1", "0.1")),
        ("REGISTRY_STORAGE", "{", "storage: ", No::Because("not readable as YAML: unclosed bracket '{'")),
        ("REGISTRY_STORAGE_S3", "{bukket: b}", "storage.s3.bukket: ", No::Such("storage.s3")),
        ("REGISTRY_HTTP_HEADERS_X-A_1", "b", "http.headers.x-a: ", No::Because("has no element 1; allowed: 0 to 0")),
        ("REGISTRY_HTTP_HEADERS_", "b", "http.headers.: ",
            No::Because("has no name; allowed: a map of header names, each with a value or a list of values")),
        ("REGISTRY_STORAGE_S3_SECRETKEY", "\u{fffd}", "storage.s3.secretkey: ", No::Because("not UTF-8; allowed: UTF-8")),
    ] {
        assert_eq!(environment([(name, value)]).unwrap_err(), format!("{name}: {key}{}", no.text()));
    }
    assert_eq!(
        environment([("REGISTRY_LOG_LEVEL", "info"), ("Registry_Log_Level", "info")]).unwrap_err(),
        "REGISTRY_LOG_LEVEL: set a second time as Registry_Log_Level"
    );
    assert_eq!(
        overridden("version: 0.1\nstorage: {filesystem: {rootdirectory: /srv}}", [("REGISTRY_STORAGE_S3_BUCKET", "b")])
            .unwrap_err(),
        "config.yml:2: storage.filesystem: s3 is given too (REGISTRY_STORAGE_S3_BUCKET); \
         allowed: one of filesystem, s3, inmemory"
    );
}

#[test]
fn keys_of_cloudfront_are_read_when_the_registry_starts() {
    let with = |id: &str, key: &str, bucket: &str| {
        environment([
            ("REGISTRY_STORAGE_REDIRECT_CLOUDFRONT_KEYPAIRID", id),
            ("REGISTRY_STORAGE_REDIRECT_CLOUDFRONT_PRIVATEKEY", key),
            ("REGISTRY_STORAGE_S3_BUCKET", bucket),
        ])
    };
    let (before, after) = KEY.split_at(64);
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{before}\n{after}\n-----END PRIVATE KEY-----\n");
    let [bare, pem] = [KEY, &pem].map(|key| with("K1", key, "images").unwrap());
    assert_eq!(bare, pem);
    assert_eq!(bare.storage.cloudfront.as_ref().unwrap().life.as_secs(), 1200);
    let shown = format!("{bare:?}");
    assert!(!shown.contains(&KEY[60..70]), "{shown}");
    assert_eq!(with("", "", "images").unwrap().storage.cloudfront, None, "what is empty is not there");

    for wrong in ["sesame", &KEY[4..], "c2VzYW1lCg=="] {
        let said = with("K1", wrong, "images").unwrap_err();
        let variable = "REGISTRY_STORAGE_REDIRECT_CLOUDFRONT_PRIVATEKEY: storage.redirect.cloudfront.privatekey";
        assert!(said.starts_with(&format!("{variable}: not readable as a private key on P-256; ")), "{said}");
        assert!(!said.contains(wrong), "{said}");
    }
    for wrong in ["K 1", "K1&x=y", "K*"] {
        let said = with(wrong, KEY, "images").unwrap_err();
        assert!(said.contains("storage.redirect.cloudfront.keypairid: \"K"), "{said}");
    }
    let said = with("K1", KEY, "").unwrap_err();
    assert!(said.contains("without a bucket, CloudFront has nothing to give"), "{said}");

    let warned = environment([
        ("REGISTRY_STORAGE_REDIRECT", &*format!("{{disable: true, cloudfront: {{keypairid: K1, privatekey: {KEY}}}}}")),
        ("REGISTRY_STORAGE_S3_BUCKET", "images"),
    ]);
    let warnings = warned.unwrap().warnings;
    assert!(warnings.iter().any(|warning| warning.contains("cloudfront: without effect")), "{warnings:?}");
}

#[test]
fn variables_of_others_are_passed_over() {
    let config = environment([
        ("REGISTRY_AUTH_FILE", "/run/user/1000/auth.json"),
        // Kubernetes, for services named registry, registry-http and registry-ui
        ("REGISTRY_SERVICE_HOST", "10.0.0.1"),
        ("REGISTRY_SERVICE_PORT", "5000"),
        ("REGISTRY_SERVICE_PORT_HTTP", "5000"),
        ("REGISTRY_PORT", "tcp://10.0.0.1:5000"),
        ("REGISTRY_PORT_5000_TCP", "tcp://10.0.0.1:5000"),
        ("REGISTRY_PORT_5000_TCP_ADDR", "10.0.0.1"),
        ("REGISTRY_HTTP_PORT", "tcp://10.0.0.2:5000"),
        ("REGISTRY_HTTP_SERVICE_HOST", "10.0.0.2"),
        ("REGISTRY_UI_PORT_80_TCP_PROTO", "tcp"),
        ("MY_REGISTRY_LOG_LEVEL", "loud"),
        ("REGISTRYLOG", "loud"),
    ]);
    assert_eq!(config, Ok(Config::default()));
}
