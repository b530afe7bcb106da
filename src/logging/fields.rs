//! The fields that every line bears (`log.fields`), put into each line as it is written.

use std::io::{self, Write};

use tracing_subscriber::fmt::MakeWriter;

use crate::config::{Formatter, Log};

/// Makes writers that put the configured fields into each line. A line comes in one piece.
pub(super) struct WithFields<M> {
    inner: M,
    formatter: Formatter,
    /// The fields as they stand in a line; empty when there are none.
    text: String,
}

/// Writes one line.
pub(super) struct Line<'a, W> {
    inner: W,
    formatter: Formatter,
    text: &'a str,
}

impl<M> WithFields<M> {
    pub(super) fn new(inner: M, log: &Log) -> Self {
        let text = match log.formatter {
            Formatter::Text => log.fields.iter().map(|(name, value)| format!(" {name}={value:?}")).collect(),
            // Strings always serialize.
            Formatter::Json if !log.fields.is_empty() => serde_json::to_string(&log.fields).unwrap_or_default(),
            Formatter::Json => String::new(),
        };
        Self { inner, formatter: log.formatter, text }
    }
}

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for WithFields<M> {
    type Writer = Line<'a, M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Line { inner: self.inner.make_writer(), formatter: self.formatter, text: &self.text }
    }
}

impl<W: Write> Write for Line<'_, W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let fields = self.text.as_bytes();
        let whole = match self.formatter {
            _ if fields.is_empty() => return self.inner.write(line),
            Formatter::Text => line.strip_suffix(b"\n").map(|rest| [rest, fields, b"\n"].concat()),
            // `{"level":..` and `{"name":"value"}` make `{"name":"value","level":..`.
            Formatter::Json => line.strip_prefix(b"{").map(|rest| [&fields[..fields.len() - 1], b",", rest].concat()),
        };
        self.inner.write_all(whole.as_deref().unwrap_or(line))?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(formatter: Formatter, fields: &[(&str, &str)], line: &str) -> String {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let maker = WithFields::new(Vec::new, &Log { formatter, fields, ..Log::default() });
        let mut writer = maker.make_writer();
        writer.write_all(line.as_bytes()).unwrap();
        String::from_utf8(writer.inner).unwrap()
    }

    #[test]
    fn json_lines_stay_one_object() {
        let line = written(Formatter::Json, &[("env", "a \"b\""), ("zone", "1")], "{\"level\":\"INFO\"}\n");
        let object: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(object, serde_json::json!({ "env": "a \"b\"", "zone": "1", "level": "INFO" }));
        assert!(line.ends_with("}\n"));
    }

    #[test]
    fn text_lines_end_with_the_fields() {
        assert_eq!(written(Formatter::Text, &[("env", "prod")], "INFO hello\n"), "INFO hello env=\"prod\"\n");
        assert_eq!(written(Formatter::Text, &[], "INFO hello\n"), "INFO hello\n");
    }
}
