//! Descriptor caches (`src/cache`): one suite, run by each implementation; what each promises besides; and a model
//! that each must agree with. DynamoDB is emulated in process, over a real socket.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail

#[path = "caches/suite.rs"]
#[macro_use]
mod suite;

#[path = "caches/breaker.rs"]
mod breaker;
#[path = "caches/dynamodb.rs"]
mod dynamodb;
#[path = "caches/dynamodb_failures.rs"]
mod dynamodb_failures;
#[path = "caches/memory.rs"]
mod memory;
#[path = "caches/model.rs"]
mod model;
#[path = "caches/none.rs"]
mod none;
#[path = "caches/scripted.rs"]
mod scripted;
#[path = "caches/subject.rs"]
mod subject;
#[path = "caches/tiered.rs"]
mod tiered;
