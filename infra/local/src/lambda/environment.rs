//! The variables that Lambda sets ("Using Lambda environment variables", defined runtime environment variables).

use std::net::SocketAddr;

use super::settings::Settings;

/// The whole environment of an instance: Lambda's variables, then the caller's, which win.
pub(super) fn variables(settings: &Settings, instance: u64, runtime_api: SocketAddr) -> Vec<(String, String)> {
    let name = &settings.name;
    let folder = settings.program.parent().map(|folder| folder.display().to_string()).unwrap_or_default();
    let mut variables: Vec<(String, String)> = [
        ("AWS_DEFAULT_REGION", settings.region.clone()),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", settings.memory.to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{name}")),
        ("AWS_LAMBDA_LOG_STREAM_NAME", format!("2026/01/01/[$LATEST]{instance:032x}")),
        ("AWS_LAMBDA_RUNTIME_API", runtime_api.to_string()),
        ("AWS_REGION", settings.region.clone()),
        ("LAMBDA_RUNTIME_DIR", "/var/runtime".to_owned()),
        ("LAMBDA_TASK_ROOT", folder),
        ("LANG", "en_US.UTF-8".to_owned()),
        ("PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin".to_owned()),
        ("TZ", ":UTC".to_owned()),
        ("_HANDLER", settings.handler.clone()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    variables.extend(settings.env.iter().cloned());
    variables
}
