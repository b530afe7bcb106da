//! Completions and the manual, made of the definitions themselves.

use std::fs;

use crate::desk::Desk;

const COMMANDS: [&str; 15] = [
    "serve",
    "login",
    "logout",
    "push",
    "pull",
    "copy",
    "ls",
    "tags",
    "inspect",
    "rm",
    "credential-helper",
    "keys",
    "policy",
    "completions",
    "man",
];

#[tokio::test]
async fn completions_know_every_command() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ended = desk.run(&format!("completions {shell}")).await;
        let script = ended.done();
        for command in COMMANDS {
            assert!(script.contains(command), "{shell} lacks {command}");
        }
        assert!(script.contains("referrers"), "{shell} lacks options");
    }
    let ended = desk.run("completions tcsh").await;
    assert_eq!((ended.code, ended.said.len()), (Some(2), 0), "{ended:?}");
}

#[tokio::test]
async fn the_manual_has_every_command() {
    let desk = Desk::new();
    let ended = desk.run("man").await;
    let page = ended.done().replace('\\', "");
    let help = desk.run("help").await.done().to_owned();
    for command in COMMANDS {
        assert!(page.contains(&format!("berth-{command}")), "the page lacks {command}");
        assert!(help.lines().any(|line| line.trim_start().starts_with(&format!("{command} "))), "{command}: {help}");
    }
    assert!(page.contains("--platform") && page.contains("docker save app:1 | berth push -"), "{page}");

    desk.run("man --to pages").await.done();
    let pages = desk.list("pages");
    for command in COMMANDS {
        let name = format!("berth-{command}.1");
        assert!(pages.contains(&name), "{pages:?}");
        assert!(fs::read_to_string(desk.path("pages").join(name)).unwrap().starts_with(".ie"), "it is roff");
    }
}
