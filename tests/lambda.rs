//! The registry as the template deploys it: the real `bootstrap` behind Lambda's front doors, over S3 and DynamoDB, each
//! function held to its role. Every stack checks at its end that its roles allowed all that it asked for.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed

#[path = "lambda/answers.rs"]
mod answers;
#[path = "lambda/challenges.rs"]
mod challenges;
#[path = "lambda/deadlines.rs"]
mod deadlines;
#[path = "lambda/deletions.rs"]
mod deletions;
#[path = "lambda/deployed.rs"]
mod deployed;
#[path = "lambda/direct.rs"]
mod direct;
#[path = "lambda/edge.rs"]
mod edge;
#[path = "lambda/edge_secrets.rs"]
mod edge_secrets;
#[path = "lambda/edge_stacks.rs"]
mod edge_stacks;
#[path = "budgets/image.rs"]
mod image;
#[path = "lambda/kills.rs"]
mod kills;
#[path = "lambda/maintenance.rs"]
mod maintenance;
#[path = "lambda/misconfigured.rs"]
mod misconfigured;
#[path = "lambda/privilege.rs"]
mod privilege;
#[path = "lambda/stack.rs"]
mod stack;
#[path = "support/mod.rs"]
mod support;
#[path = "lambda/table.rs"]
mod table;
#[path = "lambda/through_edge.rs"]
mod through_edge;
#[path = "lambda/uploads.rs"]
mod uploads;
