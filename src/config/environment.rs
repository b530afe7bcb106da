//! `REGISTRY_*` variables, which override the file: names in capitals, `_` between them.

use super::{
    error::ConfigError,
    keys::{self, Key, Kind, Place},
    settings::{Settings, Source},
    yaml::{self, Node},
};

/// What each variable's name begins with.
const PREFIX: &str = "REGISTRY_";

/// The variables that belong to the registry, from a longer list.
pub(super) struct Environment(Vec<(String, String)>);

impl Environment {
    /// The `REGISTRY_*` variables of `variables`, in whatever letters they are written.
    ///
    /// # Errors
    /// Two of them differ only in case.
    pub(super) fn new(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let mut own: Vec<_> = variables.into_iter().filter(|(name, _)| is_own(name)).collect();
        // The shorter name first, so that REGISTRY_STORAGE does not undo REGISTRY_STORAGE_S3_BUCKET.
        own.sort_by_cached_key(|(name, _)| name.to_ascii_uppercase());
        match own.windows(2).find(|pair| pair[0].0.eq_ignore_ascii_case(&pair[1].0)) {
            Some(pair) => Err(ConfigError::new(&pair[0].0, "", &format!("set a second time as {}", pair[1].0))),
            None => Ok(Self(own)),
        }
    }

    /// The path of the file, which `REGISTRY_CONFIGURATION_PATH` gives where the command line does not.
    pub(super) fn configuration_path(&self) -> Option<&str> {
        let variable = self.0.iter().find(|(name, _)| name.eq_ignore_ascii_case("REGISTRY_CONFIGURATION_PATH"));
        variable.map(|(_, path)| path.as_str()).filter(|path| !path.is_empty())
    }

    /// Sets in `settings` what the variables say.
    ///
    /// # Errors
    /// The first variable that stands for no key, or whose value is not of the key's shape.
    pub(super) fn apply(&self, settings: &mut Settings) -> Result<(), ConfigError> {
        self.0.iter().try_for_each(|(name, value)| apply(settings, name, value))
    }
}

/// The environment of this process, as [`Config::load`](super::Config::load) takes it: the variables that belong to
/// the registry. What is not UTF-8 in them is replaced, and refused when it is read.
pub fn process_environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
        .filter(|(name, _)| is_own(name))
}

fn is_own(name: &str) -> bool {
    name.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
}

fn apply(settings: &mut Settings, variable: &str, value: &str) -> Result<(), ConfigError> {
    let source = Source::Variable(variable);
    let name = variable.get(PREFIX.len()..).unwrap_or_default();
    let path = name.to_ascii_lowercase().replace('_', ".");
    if value.contains(char::REPLACEMENT_CHARACTER) {
        return Err(source.refuse(&path, "not UTF-8; allowed: UTF-8"));
    }
    match keys::place(&path) {
        _ if path.is_empty() => Err(source.refuse("", &keys::unknown(&path))),
        Place::Key(Key { kind: Kind::Value, .. }) => settings.put(&path, one_value(&path, value, source)?, source),
        Place::Key(_) | Place::Section => settings.put(&path, read(&path, value, source)?, source),
        Place::Below(key) if matches!(key.kind, Kind::Values | Kind::Lists) => {
            // The replacements above keep each byte's place, so this is the name as it was written.
            let written = name.get(key.path.len() + 1..).unwrap_or_default();
            below(settings, key, written, value, source)
        }
        Place::Below(_) => settings.put(&path, Node::Scalar(value.to_owned()), source),
        Place::Unknown if is_foreign(name, value) => Ok(()),
        Place::Unknown => Err(source.refuse(&path, &keys::unknown(&path))),
    }
}

/// Overrides `written`, a name of the user's choice under `key`, or one element of its list.
fn below(
    settings: &mut Settings,
    key: &'static Key,
    written: &str,
    value: &str,
    source: Source<'_>,
) -> Result<(), ConfigError> {
    let index = written.rsplit_once('_').and_then(|(name, index)| Some((name, index.parse::<usize>().ok()?)));
    let (name, index) = match index {
        Some((name, index)) if key.kind == Kind::Lists => (name, Some(index)),
        _ => (written, None),
    };
    let present = settings.named(key.path).find(|(present, ..)| present.eq_ignore_ascii_case(name));
    let path =
        format!("{}.{}", key.path, present.map_or_else(|| name.to_ascii_lowercase(), |(name, ..)| name.to_owned()));
    let node = match (index, key.kind) {
        (Some(index), _) => {
            let mut texts = present.map_or_else(Vec::new, |(_, texts, _)| texts.to_vec());
            match texts.len() {
                length if index < length => texts[index] = value.to_owned(),
                length if index == length => texts.push(value.to_owned()),
                length => return Err(source.refuse(&path, &format!("has no element {index}; allowed: 0 to {length}"))),
            }
            Node::List(texts.into_iter().map(Node::Scalar).collect())
        }
        (None, Kind::Lists) if value.trim_start().starts_with('[') => read(&path, value, source)?,
        (None, _) => one_value(&path, value, source)?,
    };
    settings.put(&path, node, source)
}

/// A variable's text for one value: taken as it stands, so that no secret need be quoted, unless quotes are around
/// it.
fn one_value(path: &str, value: &str, source: Source<'_>) -> Result<Node, ConfigError> {
    let is_quoted = |quote| value.len() > 1 && value.starts_with(quote) && value.ends_with(quote);
    if is_quoted('"') || is_quoted('\'') { read(path, value, source) } else { Ok(Node::Scalar(value.to_owned())) }
}

fn read(path: &str, value: &str, source: Source<'_>) -> Result<Node, ConfigError> {
    yaml::parse(value).map_err(|fault| source.refuse(path, &format!("not readable as YAML: {}", fault.message)))
}

/// Whether a variable is not meant for the registry, although its name begins so. `name` is what follows the prefix.
fn is_foreign(name: &str, value: &str) -> bool {
    let name = name.to_ascii_uppercase();
    // REGISTRY_CONFIGURATION_PATH is no key; REGISTRY_AUTH_FILE is where podman, buildah and skopeo keep credentials.
    matches!(name.as_str(), "CONFIGURATION_PATH" | "AUTH_FILE") || is_of_kubernetes(&name, value)
}

/// Whether Kubernetes made a variable for a service whose name begins with `registry`, as it does in every pod
/// beside it ("Service", section "Environment variables").
fn is_of_kubernetes(name: &str, value: &str) -> bool {
    let words: Vec<&str> = name.split('_').collect();
    let is_number = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    words.ends_with(&["SERVICE", "HOST"])
        || words.windows(2).any(|pair| pair == ["SERVICE", "PORT"])
        || words.ends_with(&["PORT"]) && value.contains("://")
        || words
            .windows(3)
            .any(|three| three[0] == "PORT" && is_number(three[1]) && matches!(three[2], "TCP" | "UDP" | "SCTP"))
}
