//! A configuration before its values have types: each key that is set, with its text and where that came from.

use std::{collections::BTreeMap, ops::RangeInclusive};

use super::{
    error::{ConfigError, quoted},
    keys::{self, Key, Kind, Place},
    yaml::Node,
};

/// Where a value stands.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source<'a> {
    /// In the file of this name, at this line.
    File(&'a str, u64),
    /// In the variable of this name.
    Variable(&'a str),
}

impl Source<'_> {
    fn line(self, line: u64) -> Self {
        match self {
            Self::File(name, _) => Self::File(name, line),
            Self::Variable(_) => self,
        }
    }

    fn origin(self) -> String {
        match self {
            Self::File(name, line) => format!("{name}:{line}"),
            Self::Variable(name) => name.to_owned(),
        }
    }

    pub(super) fn refuse(self, path: &str, reason: &str) -> ConfigError {
        ConfigError::new(&self.origin(), path, reason)
    }
}

/// What is set, by dotted path.
#[derive(Default)]
pub(super) struct Settings(BTreeMap<String, Setting>);

struct Setting {
    value: Value,
    origin: String,
}

enum Value {
    /// A section is there, perhaps with nothing in it.
    Present,
    Text(String),
    Texts(Vec<String>),
}

impl Settings {
    /// Sets `path` and all below it to what `node` says; what was there is gone.
    ///
    /// # Errors
    /// The first key that does not exist, or has another shape than this.
    pub(super) fn put(&mut self, path: &str, node: Node, source: Source<'_>) -> Result<(), ConfigError> {
        match keys::place(path) {
            Place::Section => self.put_section(path, node, source),
            Place::Key(key) => self.put_key(key, node, source),
            Place::Below(key) if key.kind == Kind::Ignored => self.put_key(key, node, source),
            Place::Below(key) => {
                let name = path.get(key.path.len() + 1..).unwrap_or_default();
                self.put_named(key, name, node, source)
            }
            Place::Unknown => Err(source.refuse(path, &keys::unknown(path))),
        }
    }

    fn put_section(&mut self, path: &str, node: Node, source: Source<'_>) -> Result<(), ConfigError> {
        self.remove(path);
        match node {
            Node::Null => {}
            Node::Map(entries) => {
                for entry in entries {
                    let source = source.line(entry.line);
                    let below = if path.is_empty() { entry.key.clone() } else { format!("{path}.{}", entry.key) };
                    if entry.key.is_empty() || entry.key.contains('.') {
                        let reason = format!("unknown key; {}", keys::children(path));
                        return Err(source.refuse(&quoted(&below), &reason));
                    }
                    self.put(&below, entry.value, source)?;
                }
            }
            // As in distribution, a driver that needs no keys may stand for the whole section.
            Node::Scalar(driver) if path == "storage" && ["filesystem", "s3", "inmemory"].contains(&&*driver) => {
                return self.put(&format!("storage.{driver}"), Node::Null, source);
            }
            Node::Scalar(_) | Node::List(_) => {
                return Err(source.refuse(path, &format!("needs a map; {}", keys::children(path))));
            }
        }
        self.insert(path, Value::Present, source);
        Ok(())
    }

    fn put_key(&mut self, key: &'static Key, node: Node, source: Source<'_>) -> Result<(), ConfigError> {
        let refuse = |reason: &str| Err(source.refuse(key.path, &format!("{reason}; allowed: {}", key.allowed)));
        self.remove(key.path);
        match (key.kind, node) {
            (Kind::Bare, Node::Null) => self.insert(key.path, Value::Present, source),
            (Kind::Bare, Node::Map(entries)) if entries.is_empty() => self.insert(key.path, Value::Present, source),
            (Kind::Bare, _) => return refuse("takes nothing"),
            (_, Node::Null) => {}
            (Kind::Ignored, _) => self.insert(key.path, Value::Present, source),
            // A variable that was to name users, and came out empty, must not open the registry.
            (Kind::Value, Node::Scalar(text)) if text.is_empty() && keys::lies_below(key.path, "auth") => {
                self.insert(key.path, Value::Present, source);
            }
            // Empty is unset: a variable cannot say more clearly that it has nothing to say.
            (Kind::Value, Node::Scalar(text)) if text.is_empty() => {}
            (Kind::Value, Node::Scalar(text)) => self.insert(key.path, Value::Text(text), source),
            (Kind::Value, _) => return refuse("needs one value"),
            (Kind::Values | Kind::Lists, Node::Map(entries)) => {
                for entry in entries {
                    self.put_named(key, &entry.key, entry.value, source.line(entry.line))?;
                }
            }
            (Kind::Values | Kind::Lists, _) => return refuse("needs a map"),
        }
        Ok(())
    }

    fn put_named(&mut self, key: &'static Key, name: &str, node: Node, source: Source<'_>) -> Result<(), ConfigError> {
        let path = format!("{}.{name}", key.path);
        let refuse = |reason: &str| Err(source.refuse(&path, &format!("{reason}; allowed: {}", key.allowed)));
        let texts = match (key.kind, node) {
            _ if name.is_empty() => return refuse("has no name"),
            (Kind::Values, Node::Null) => {
                self.remove(&path);
                return Ok(());
            }
            (_, Node::Null) => Vec::new(),
            (_, Node::Scalar(text)) => vec![text],
            (Kind::Lists, Node::List(items)) => {
                let texts = items.into_iter().map(|item| if let Node::Scalar(text) = item { Some(text) } else { None });
                match texts.collect() {
                    Some(texts) => texts,
                    None => return refuse("needs a value or a list of values"),
                }
            }
            (Kind::Lists, _) => return refuse("needs a value or a list of values"),
            _ => return refuse("needs one value"),
        };
        self.insert(&path, Value::Texts(texts), source);
        Ok(())
    }

    fn insert(&mut self, path: &str, value: Value, source: Source<'_>) {
        self.0.insert(path.to_owned(), Setting { value, origin: source.origin() });
    }

    fn remove(&mut self, path: &str) {
        self.0.retain(|other, _| other != path && !keys::lies_below(other, path));
    }

    /// Where `path`, or the first thing below it, is set.
    pub(super) fn origin(&self, path: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(other, _)| *other == path || keys::lies_below(other, path))
            .map(|(_, setting)| setting.origin.as_str())
    }

    /// The value of key `path`, if it is set.
    pub(super) fn get(&self, path: &'static str) -> Option<Found<'_>> {
        let Setting { value: Value::Text(text), origin } = self.0.get(path)? else { return None };
        Some(Found { path, text, origin })
    }

    /// The value of key `path`, if it is set, as one of `choices`, in letters of either case.
    pub(super) fn choice<T: Copy>(&self, path: &'static str, choices: &[(&str, T)]) -> Result<Option<T>, ConfigError> {
        let Some(found) = self.get(path) else { return Ok(None) };
        let text = found.text.trim();
        let chosen = choices.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        chosen.map(|(_, choice)| Some(*choice)).ok_or_else(|| found.refuse())
    }

    /// The truth value of key `path`. YAML 1.1's other spellings, which distribution reads, are read too.
    pub(super) fn switch(&self, path: &'static str, default: bool) -> Result<bool, ConfigError> {
        let choices = [("true", true), ("false", false), ("yes", true), ("no", false), ("on", true), ("off", false)];
        Ok(self.choice(path, &choices)?.unwrap_or(default))
    }

    /// The number of key `path`, which must lie in `range`.
    pub(super) fn whole(&self, path: &'static str, range: RangeInclusive<u32>) -> Result<Option<u32>, ConfigError> {
        let Some(found) = self.get(path) else { return Ok(None) };
        let number = found.text.trim().parse().ok().filter(|number| range.contains(number));
        number.map(Some).ok_or_else(|| found.refuse())
    }

    /// What lies below key `path`, whose names the user chooses: name, values, where from.
    pub(super) fn named(&self, path: &'static str) -> impl Iterator<Item = (&str, &[String], &str)> {
        self.0.iter().filter_map(move |(other, setting)| {
            let name = other.strip_prefix(path)?.strip_prefix('.')?;
            match &setting.value {
                Value::Texts(texts) => Some((name, texts.as_slice(), setting.origin.as_str())),
                _ => None,
            }
        })
    }
}

/// The value of a key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found<'a> {
    pub(super) path: &'static str,
    pub(super) text: &'a str,
    pub(super) origin: &'a str,
}

impl Found<'_> {
    /// The value is not among the allowed ones. Shows the value: not for secrets.
    pub(super) fn refuse(&self) -> ConfigError {
        self.because(&format!("{} is not allowed", quoted(self.text)))
    }

    /// The value is refused for `reason`; what is allowed is added.
    pub(super) fn because(&self, reason: &str) -> ConfigError {
        let allowed = keys::find(self.path).map_or("", |key| key.allowed);
        ConfigError::new(self.origin, self.path, &format!("{reason}; allowed: {allowed}"))
    }
}
