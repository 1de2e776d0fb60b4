//! Where and why a filter's text does not parse.

use std::fmt;

use crate::error::{Error, ErrorCode};

/// Where a filter's text stops making sense, what was expected there and what was found.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// The line, from 1.
    pub line: usize,
    /// The column, in characters from 1.
    pub column: usize,
    /// What would make sense there.
    pub expected: String,
    /// What stands there.
    pub found: String,
    source_line: String,
}

impl FilterError {
    /// The error at a byte of `text`.
    pub(super) fn new(text: &str, offset: usize, expected: &str) -> Self {
        let (before, rest) = text.split_at_checked(offset).unwrap_or((text, ""));
        let line_start = before.rfind('\n').map_or(0, |place| place + 1);
        let line_length = text[line_start..].find(['\n', '\r']).unwrap_or(text.len() - line_start);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            expected: expected.to_owned(),
            found: found(rest),
            source_line: text[line_start..line_start + line_length].to_owned(),
        }
    }

    /// The line with a caret under the column.
    pub fn snippet(&self) -> String {
        let indent: String = self
            .source_line
            .chars()
            .take(self.column - 1)
            .map(|letter| if letter == '\t' { '\t' } else { ' ' })
            .collect();
        format!("{}\n{indent}^", self.source_line)
    }
}

/// The word, quoted text or sign that stands at the beginning of `rest`.
fn found(rest: &str) -> String {
    const SHOWN_MAX: usize = 30;
    let is_word = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '.' | '-' | ':' | '+');
    let Some(first) = rest.chars().next() else { return "the end of the filter".to_owned() };
    let token: String = match first {
        '\n' | '\r' => return "the end of the line".to_owned(),
        '"' | '\'' | '`' => {
            let inside = rest.chars().skip(1).take_while(|&letter| letter != first && letter != '\n');
            format!("{first}{}{first}", inside.take(SHOWN_MAX).collect::<String>())
        }
        _ if is_word(first) => rest.chars().take_while(|&letter| is_word(letter)).take(SHOWN_MAX).collect(),
        sign => sign.to_string(),
    };
    match first {
        '"' | '\'' | '`' => token,
        _ => format!("`{token}`"),
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: expected {}, found {}", self.line, self.column, self.expected, self.found)
    }
}

impl std::error::Error for FilterError {}

impl From<FilterError> for Error {
    fn from(error: FilterError) -> Self {
        Self::invalid(ErrorCode::InvalidFilter, error.to_string()).caused_by(error)
    }
}
