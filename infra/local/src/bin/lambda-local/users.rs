//! Who may log in.

/// The variable that holds htpasswd lines.
pub(crate) const USERS: &str = "REGISTRY_AUTH_HTPASSWD_USERS";

/// bcrypt's cheapest: the password lives as long as this process.
const COST: u32 = 4;

/// All users, and the one that the login line names.
#[derive(Debug)]
pub(crate) struct Users {
    lines: String,
    name: String,
    /// Known only of one that was made up here.
    password: Option<String>,
}

impl Users {
    /// Those given, else those that are known already, else one with a random password.
    pub(crate) fn choose(given: &[String], known: Option<&String>) -> Result<Self, bcrypt::BcryptError> {
        let lines = if given.is_empty() { known.cloned() } else { Some(given.join(",")) };
        if let Some(lines) = lines.filter(|lines| !lines.trim().is_empty()) {
            let name = lines.trim().split(':').next().unwrap_or_default().to_owned();
            return Ok(Self { lines, name, password: None });
        }
        let password = uuid::Uuid::new_v4().simple().to_string();
        let hash = bcrypt::hash(&password, COST)?;
        Ok(Self { lines: format!("berth:{hash}"), name: "berth".to_owned(), password: Some(password) })
    }

    /// As htpasswd has them, separated by commas.
    pub(crate) fn lines(&self) -> &str {
        &self.lines
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
