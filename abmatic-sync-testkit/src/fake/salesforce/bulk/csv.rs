//! CSV as bulk jobs write it: every value in quotes, delimiter and line ending as the job says.

use std::borrow::Cow;

/// How a job's files look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Format {
    pub(crate) delimiter: u8,
    pub(crate) crlf: bool,
}

/// Delimiters by their names.
const DELIMITERS: &[(&str, u8)] =
    &[("BACKQUOTE", b'`'), ("CARET", b'^'), ("COMMA", b','), ("PIPE", b'|'), ("SEMICOLON", b';'), ("TAB", b'\t')];

impl Format {
    /// The format of those names; `None` where one of them is unknown.
    pub(crate) fn parse(delimiter: &str, line_ending: &str) -> Option<Self> {
        let (_, delimiter) = DELIMITERS.iter().find(|(name, _)| *name == delimiter)?;
        match line_ending {
            "LF" => Some(Self { delimiter: *delimiter, crlf: false }),
            "CRLF" => Some(Self { delimiter: *delimiter, crlf: true }),
            _ => None,
        }
    }

    /// The names of delimiter and line ending.
    pub(crate) fn names(self) -> (&'static str, &'static str) {
        let delimiter = DELIMITERS.iter().find(|(_, byte)| *byte == self.delimiter).map_or("COMMA", |(name, _)| *name);
        (delimiter, if self.crlf { "CRLF" } else { "LF" })
    }
}

/// Appends one line.
pub(crate) fn write_line<'a>(out: &mut Vec<u8>, format: Format, values: impl IntoIterator<Item = Cow<'a, str>>) {
    for (at, value) in values.into_iter().enumerate() {
        if at > 0 {
            out.push(format.delimiter);
        }
        out.push(b'"');
        for (part_at, part) in value.split('"').enumerate() {
            if part_at > 0 {
                out.extend_from_slice(b"\"\"");
            }
            out.extend_from_slice(part.as_bytes());
        }
        out.push(b'"');
    }
    out.extend_from_slice(if format.crlf { b"\r\n" } else { b"\n" });
}
