//! The S3 driver; what it asks of S3 is in `tests/s3`.

use std::sync::Arc;

use berth::{
    aws::{Account, Keys, http_client},
    driver::s3::{S3Config, S3Driver},
};
use berth_local::S3Emulator;

use crate::store::Store;

async fn s3() -> Store {
    let emulator = S3Emulator::start().await.unwrap();
    let (driver, other) = (driver(&emulator).await, driver(&emulator).await);
    Store { driver, other, keep: Box::new(emulator) }
}

async fn driver(emulator: &S3Emulator) -> Arc<S3Driver> {
    let options = emulator.options();
    let keys = Keys { access: options.access_key.clone(), secret: options.secret_key.clone() };
    let account =
        Account { region: Some(options.region.clone()), endpoint: Some(emulator.endpoint()), keys: Some(keys) };
    let config = S3Config { account, force_path_style: true, ..S3Config::new(emulator.bucket()) };
    Arc::new(S3Driver::new(config, &http_client()).await)
}

suite!(super::s3::s3);
