//! Logins where Docker keeps them: its configuration, and helpers, of which some lie.
//!
//! Where that is stands in the environment, so each look is taken by a process of its own: this one once more.

use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

use berth::client::{Credential, Credentials as _, DockerCredentials};

/// The look, for the host that `HOST` names.
#[tokio::test]
#[ignore = "run by the tests below"]
async fn look() {
    let host = std::env::var("HOST").unwrap().parse().unwrap();
    let said = match DockerCredentials.credential(&host).await {
        Ok(Credential::Anonymous) => "nobody".to_owned(),
        Ok(Credential::Password { name, password }) => format!("password {name} {}", password.expose()),
        Ok(Credential::IdentityToken(token)) => format!("identity {}", token.expose()),
        Ok(Credential::RegistryToken(token)) => format!("registry {}", token.expose()),
        Err(error) => format!("error {error}"),
    };
    println!("<{said}>");
}

/// What is found for `host` with `config` as Docker's configuration, and these helpers: what each prints, asked for a
/// login of what it is told by standard input, and whether it does so with success.
fn found(host: &str, config: &str, helpers: &[(&str, &str, bool)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.json"), config).unwrap();
    for (name, prints, succeeds) in helpers {
        let exit = i32::from(!succeeds);
        let script = format!(
            "#!/bin/sh\n[ \"$1\" = get ] || exit 9\nread -r server\necho '{prints}' | sed \"s|SERVER|$server|g\"\nexit {exit}\n"
        );
        let file = folder.path().join(format!("docker-credential-{name}"));
        fs::write(&file, script).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["docker::look", "--exact", "--ignored", "--nocapture"])
        .env("DOCKER_CONFIG", folder.path())
        .env("PATH", path)
        .env("HOST", host)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let said = said.split_once('<').and_then(|(_, rest)| rest.rsplit_once('>')).map(|(said, _)| said.to_owned());
    said.unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

const AUTHS: &str = r#"{"auths": {
    "r.example": {"auth": "YWxpY2U6d29uZGVybGFuZA=="},
    "https://s.example/v2/": {"identitytoken": "t"},
    "https://index.docker.io/v1/": {"username": "anna", "password": "p"},
    "broken.example": {"auth": "!"}
}}"#;

#[test]
fn in_the_file() {
    for (host, expected) in [
        ("r.example", "password alice wonderland"),
        ("s.example", "identity t"),
        ("docker.io", "password anna p"),
        ("registry-1.docker.io", "password anna p"),
        ("other.example", "nobody"),
        ("example", "nobody"),
        ("broken.example", "nobody"),
    ] {
        assert_eq!(found(host, AUTHS, &[]), expected, "{host}");
    }
    assert_eq!(found("r.example", "", &[]), "nobody");
    assert!(found("r.example", "{", &[]).contains("not as Docker writes it"));
}

#[test]
fn with_a_helper() {
    let config = r#"{"credHelpers": {"r.example": "own", "gone.example": "gone"}, "credsStore": "all",
                     "auths": {"kept.example": {"auth": "YTpi"}}}"#;
    let own = ("own", r#"{"ServerURL":"SERVER","Username":"alice","Secret":"for SERVER"}"#, true);
    let token = ("all", r#"{"Username":"<token>","Secret":"SERVER"}"#, true);
    let none = ("all", "credentials not found in native keychain", false);
    assert_eq!(found("r.example", config, &[own]), "password alice for r.example");
    assert_eq!(found("docker.io", config, &[token]), "identity https://index.docker.io/v1/");
    assert_eq!(found("kept.example", config, &[none]), "password a b");
    assert_eq!(found("other.example", config, &[none]), "nobody");
    let missing = found("gone.example", config, &[]);
    assert!(missing.contains("docker-credential-gone") && missing.contains("cannot be run"), "{missing}");
    let locked = found("other.example", config, &[("all", "the keychain\u{7} is locked", false)]);
    assert!(locked.ends_with("failed: the keychain is locked"), "{locked}");
    let half = found("other.example", config, &[("all", r#"{"Secret":"half a passw"#, true)]);
    assert!(half.contains("printed no login") && !half.contains("passw"), "{half}");
}

/// Berth's own helper, asked for all registries, makes logins of those alone that it is named for.
#[test]
fn with_berths_own_helper() {
    let fake = ("berth", r#"{"Username":"x","Secret":"never asked: this process makes them itself"}"#, true);
    assert_eq!(found("r.example", r#"{"credsStore": "berth"}"#, &[fake]), "nobody");
}
