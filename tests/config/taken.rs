//! What is taken, and what it means.

use berth::config::{
    Auth, CacheKind, Config, Controller, Credentials, Driver, DynamoDb, Formatter, HtpasswdUsers, S3, Secret,
};

use crate::{environment, header, parse};

#[test]
fn nothing_is_needed() {
    let config = environment([("PATH", "/bin"), ("HOME", "/root")]).unwrap();
    assert_eq!(config, Config::default());
    assert_eq!(config, parse("version: 0.1").unwrap());

    assert_eq!(config.http.addr.to_string(), "127.0.0.1:5000");
    assert_eq!(config.http.prefix, "/");
    assert_eq!(header(&config, "x-content-type-options"), ["nosniff"]);
    assert_eq!(config.storage.driver, Driver::Filesystem { root: "./data".into() });
    assert_eq!(config.storage.cache.kind, CacheKind::None);
    assert!(config.storage.delete && config.storage.redirect);
    assert!(config.validation.platforms && config.validation.layers);
    assert_eq!(config.log.level, tracing::Level::INFO);
    assert!(config.log.access);
    assert!(config.warnings.is_empty());
}

#[test]
fn every_section_is_read() {
    let config = parse(
        r"
version: '0.1'
log:
  level: WARN
  formatter: json
  accesslog: {disabled: yes}
  fields: {service: registry, number: 007}
storage:
  s3:
    bucket: images
    region: eu-central-1
    regionendpoint: http://[::1]:9000/s3/
    rootdirectory: /some/where/
    forcepathstyle: off
    accesskey: 0123
    secretkey: 1e5
  delete: {enabled: false}
  redirect: {disable: true}
  directupload: {largestput: 100, part: 5}
  cache: {blobdescriptor: dynamodb, blobdescriptorsize: 50}
dynamodb: {table: descriptors, region: eu-west-1, endpoint: 'http://localhost:8000'}
http:
  addr: :5001
  secret: sixteen bytes...
  host: https://registry.example.com:8443/
  prefix: /some/where/
  headers:
    X-Content-Type-Options: []
    Strict-Transport-Security: [max-age=63072000]
    X-Two: [one, two]
    X-Plain: value
  edge: {originsecret: 'of-the-edge-the-newest, of-the-edge-before-it', uploadkey: a-key-of-the-edge, required: off}
validation:
  manifests:
    indexes: {platforms: none}
    images: {layers: none}
",
    )
    .unwrap();
    assert_eq!(config.log.level, tracing::Level::WARN);
    assert_eq!(config.log.formatter, Formatter::Json);
    assert!(!config.log.access);
    assert_eq!(config.log.fields["service"], "registry");
    assert_eq!(config.log.fields["number"], "007");
    assert_eq!(
        config.storage.driver,
        Driver::S3(S3 {
            bucket: "images".into(),
            region: Some("eu-central-1".into()),
            endpoint: Some("http://[::1]:9000/s3".into()),
            root: "some/where/".into(),
            force_path_style: false,
            credentials: Some(Credentials { access_key: "0123".into(), secret_key: Secret::new("1e5") }),
        })
    );
    assert_eq!(config.storage.chosen_by.as_deref(), Some("config.yml:9"));
    assert!(!config.storage.delete && !config.storage.redirect);
    let direct = config.storage.direct_upload;
    assert_eq!((direct.largest_put, direct.part), (Some(100 << 20), Some(5 << 20)));
    assert_eq!(
        config.storage.cache.kind,
        CacheKind::DynamoDb(DynamoDb {
            table: "descriptors".into(),
            region: Some("eu-west-1".into()),
            endpoint: Some("http://localhost:8000".into()),
        })
    );
    assert_eq!(config.storage.cache.entries, 50);
    assert_eq!((config.http.addr.host.as_str(), config.http.addr.port), ("", 5001));
    assert_eq!(config.http.secret.as_ref().map(Secret::expose), Some("sixteen bytes..."));
    assert_eq!(config.http.host.as_deref(), Some("https://registry.example.com:8443"));
    assert_eq!(config.http.prefix, "/some/where/");
    let edge = &config.http.edge;
    let exposed = |secrets: &[Secret]| secrets.iter().map(|secret| secret.expose().to_owned()).collect::<Vec<_>>();
    assert_eq!(exposed(&edge.origin_secrets), ["of-the-edge-the-newest", "of-the-edge-before-it"]);
    assert_eq!((exposed(&edge.upload_keys).as_slice(), edge.required), (&["a-key-of-the-edge".to_owned()][..], false));
    assert_eq!(header(&config, "x-content-type-options"), [""; 0]);
    assert_eq!(header(&config, "strict-transport-security"), ["max-age=63072000"]);
    assert_eq!(header(&config, "x-two"), ["one", "two"]);
    assert_eq!(header(&config, "x-plain"), ["value"]);
    assert!(!config.validation.platforms && !config.validation.layers);
    assert_eq!(config.warnings, [""; 0]);
}

#[test]
fn what_is_left_out_follows_from_what_is_there() {
    let s3 = |below: &str| parse(&format!("{{version: 0.1, storage: {{s3: {{bucket: b{below}}}}}}}")).unwrap().storage;
    let Driver::S3(aws) = s3("").driver else { panic!() };
    assert!(!aws.force_path_style, "AWS has a host name for each bucket");
    assert_eq!((aws.region, aws.endpoint, aws.credentials, aws.root.as_str()), (None, None, None, ""));
    assert_eq!(s3("").cache.kind, CacheKind::InMemory);
    let Driver::S3(own) = s3(", regionendpoint: 'http://localhost:9000'").driver else { panic!() };
    assert!(own.force_path_style, "a store of one's own has not");

    for storage in ["inmemory", "{inmemory: }", "{inmemory: {}}"] {
        let config = parse(&format!("version: 0.1\nstorage: {storage}")).unwrap();
        assert_eq!(config.storage.driver, Driver::InMemory, "{storage}");
        assert_eq!(config.storage.cache.kind, CacheKind::None, "{storage}");
    }
    for storage in ["", "filesystem", "{filesystem: }", "{filesystem: {rootdirectory: }}", "{delete: {enabled: true}}"]
    {
        let config = parse(&format!("version: 0.1\nstorage: {storage}")).unwrap();
        assert_eq!(config, Config::default(), "{storage}");
    }

    let shared = "version: 0.1\nstorage: {cache: {blobdescriptor: dynamodb}, s3: {bucket: b, region: eu-west-3}}\n";
    let config = parse(&format!("{shared}dynamodb: {{table: tab}}")).unwrap();
    let CacheKind::DynamoDb(table) = config.storage.cache.kind else { panic!() };
    assert_eq!(table.region.as_deref(), Some("eu-west-3"), "the table is where the bucket is");
}

#[test]
fn what_deserves_a_warning_is_taken_with_one() {
    for (text, warning) in [
        (
            "storage:\n  cache:\n    layerinfo: inmemory",
            "config.yml:4: storage.cache.layerinfo: deprecated; its name is blobdescriptor now",
        ),
        (
            "dynamodb:\n  table: descriptors",
            "config.yml:2: dynamodb: without effect unless storage.cache.blobdescriptor is dynamodb",
        ),
        (
            "health:\n  storagedriver: {enabled: true, interval: 10s, threshold: 3}",
            "config.yml:3: health.storagedriver: without effect in Berth",
        ),
        ("http: {secret: asecret}", "config.yml:2: http.secret: shorter than 16 bytes, easy to guess"),
        (
            "http: {host: 'https://a.example', relativeurls: true}",
            "config.yml:2: http.relativeurls: without effect beside http.host",
        ),
    ] {
        let config = parse(&format!("version: 0.1\n{text}")).unwrap();
        assert_eq!(config.warnings, [warning], "{text}");
    }
    let config = environment([("REGISTRY_STORAGE_CACHE_LAYERINFO", "inmemory")]).unwrap();
    assert_eq!(config.storage.cache.kind, CacheKind::InMemory);
}

/// What Debian's docker-registry is configured with, so that who comes from there knows what to expect.
#[test]
fn a_file_written_for_distribution_is_taken_but_for_what_berth_lacks() {
    let text = "version: 0.1
log:
  fields:
    service: registry
storage:
  cache:
    blobdescriptor: inmemory
  filesystem:
    rootdirectory: /var/lib/docker-registry
  delete:
    enabled: true
http:
  addr: :5000
  headers:
    X-Content-Type-Options: [nosniff]
health:
  storagedriver:
    enabled: true
    interval: 10s
    threshold: 3
";
    let config = parse(text).unwrap();
    assert_eq!(config.storage.driver, Driver::Filesystem { root: "/var/lib/docker-registry".into() });
    assert_eq!(config.warnings, ["config.yml:17: health.storagedriver: without effect in Berth"]);
    assert_eq!(config.auth, Auth::default());
    let closed = parse(&format!("{text}auth: {{htpasswd: {{realm: basic-realm, path: /etc/docker/registry}}}}\n"));
    let users = HtpasswdUsers::File("/etc/docker/registry".into());
    assert_eq!(
        closed.unwrap().auth,
        Auth { controller: Controller::Htpasswd { realm: "basic-realm".to_owned(), users }, rules: None }
    );
}
