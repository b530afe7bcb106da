//! The Lambda entry, and nothing else: kept small for cold start. Configured by `REGISTRY_*` variables.

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    berth::lambda::run().await
}
