//! Files and flags.

use std::{fs, path::Path};

use berth::config::{Config, Driver};

use crate::{environment, parse};

#[test]
fn the_file_is_the_one_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let load = |file: Option<&Path>, variable: Option<&Path>| {
        let variable = variable.map(|path| ("REGISTRY_CONFIGURATION_PATH".to_owned(), path.display().to_string()));
        Config::load(file, variable)
            .map_err(|error| error.to_string().replace(&folder.path().display().to_string(), ""))
    };
    fs::write(path("one"), "version: 0.1\nhttp: {addr: ':1'}").unwrap();
    fs::write(path("two"), "version: 0.1\nhttp: {addr: ':2'}").unwrap();
    assert_eq!(load(Some(&path("one")), None).unwrap().http.addr.port, 1);
    assert_eq!(load(None, Some(&path("two"))).unwrap().http.addr.port, 2);
    assert_eq!(load(Some(&path("one")), Some(&path("two"))).unwrap().http.addr.port, 1, "the flag has the last word");
    assert_eq!(load(None, Some(Path::new(""))).unwrap(), Config::default());

    fs::write(path("latin"), b"version: 0.1 # \xe9").unwrap();
    fs::write(path("long"), "# a comment\n".repeat(100_000)).unwrap();
    for (name, message) in [
        ("none", "/none: cannot be read: No such file or directory (os error 2)"),
        ("", "/: cannot be read: Is a directory (os error 21)"),
        ("latin", "/latin: not UTF-8; allowed: YAML in UTF-8"),
        ("long", "/long: not readable as YAML: longer than 256 KiB"),
    ] {
        assert_eq!(load(Some(&path(name)), None).unwrap_err(), message);
        assert_eq!(load(None, Some(&path(name))).unwrap_err(), message);
    }
    assert!(load(Some(Path::new("/dev/zero")), None).is_err(), "is not read to its end");
}

#[test]
fn the_data_flag_agrees_with_the_file_or_is_refused() {
    let with_data = |text: &str, folder: &str| {
        let config = parse(&format!("version: 0.1\n{text}")).unwrap();
        config.with_data_dir(Path::new(folder)).map(|config| config.storage.driver).map_err(|error| error.to_string())
    };
    let folder = |path: &str| Ok(Driver::Filesystem { root: path.into() });
    assert_eq!(with_data("", "/srv"), folder("/srv"));
    assert_eq!(with_data("storage: filesystem", "/srv"), folder("/srv"));
    assert_eq!(with_data("storage: {filesystem: {rootdirectory: /srv/}}", "/srv"), folder("/srv"));
    assert_eq!(with_data("storage: {filesystem: {rootdirectory: ./data}}", "data"), folder("data"));
    for (storage, already) in [
        ("filesystem: {rootdirectory: /var}", "\"/var\""),
        ("filesystem: {rootdirectory: ./data}", "\"./data\""),
        ("s3: {bucket: b}", "s3"),
        ("inmemory:", "inmemory"),
    ] {
        assert_eq!(
            with_data(&format!("storage:\n  {storage}"), "/srv"),
            Err(format!("--data: storage is {already} already (config.yml:3); allowed: one of the two"))
        );
    }
    assert_eq!(with_data("", ""), Err("--data: \"\" is not allowed; allowed: the path of a folder".to_owned()));
}

#[test]
fn the_addr_flag_has_the_last_word() {
    let config = environment([("REGISTRY_HTTP_ADDR", ":5001")]).unwrap();
    for (flag, host, port) in [
        ("[::1]:5002", "::1", 5002),
        ("localhost:0", "localhost", 0),
        (":5003", "", 5003),
        ("10.0.0.1:1", "10.0.0.1", 1),
    ] {
        let addr = config.clone().with_addr(flag).unwrap().http.addr;
        assert_eq!((addr.host.as_str(), addr.port, addr.to_string().as_str()), (host, port, flag));
    }
    assert_eq!(
        config.with_addr("localhost").unwrap_err().to_string(),
        "--addr: \"localhost\" is not allowed; allowed: HOST:PORT, or :PORT for all interfaces"
    );
}
