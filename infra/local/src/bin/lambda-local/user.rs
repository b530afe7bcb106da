//! Who may log in.

use std::collections::BTreeMap;

/// The variable that holds htpasswd lines.
const USERS: &str = "REGISTRY_AUTH_HTPASSWD_USERS";

/// bcrypt's cheapest: the password lives as long as this process.
const COST: u32 = 4;

/// The user that the login line names.
#[derive(Debug)]
pub(crate) struct User {
    name: String,
    /// Known only of one that was made up here.
    password: Option<String>,
}

impl User {
    /// Puts users in a function's environment: those given, else those that it has, else one with a random password.
    pub(crate) fn choose(
        given: &[String],
        environment: &mut BTreeMap<String, String>,
    ) -> Result<Self, bcrypt::BcryptError> {
        let lines = if given.is_empty() { environment.get(USERS).cloned() } else { Some(given.join(",")) };
        if let Some(lines) = lines.filter(|lines| !lines.trim().is_empty()) {
            let name = lines.trim().split(':').next().unwrap_or_default().to_owned();
            environment.insert(USERS.to_owned(), lines);
            return Ok(Self { name, password: None });
        }
        let password = uuid::Uuid::new_v4().simple().to_string();
        let hash = bcrypt::hash(&password, COST)?;
        environment.insert(USERS.to_owned(), format!("berth:{hash}"));
        Ok(Self { name: "berth".to_owned(), password: Some(password) })
    }

    /// How to log in to `host`.
    pub(crate) fn login(&self, host: &str) -> String {
        let name = &self.name;
        match &self.password {
            Some(password) => format!("echo {password} | docker login -u {name} --password-stdin {host}"),
            None => format!("docker login -u {name} {host}"),
        }
    }
}
