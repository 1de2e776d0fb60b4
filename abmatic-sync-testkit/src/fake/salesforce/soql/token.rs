//! A statement's words, symbols and literals.

use crate::fake::salesforce::errors::{self, Refusal};

/// One token and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    /// Byte in the statement.
    pub(crate) at: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    End,
    /// A number, a date or a moment.
    Plain(String),
    /// What stands between quotes, its escapes not yet undone.
    Quoted(String),
    Symbol(&'static str),
    /// A keyword, a name, a path, or a date literal with its number.
    Word(String),
}

impl Token {
    /// As error messages show it.
    pub(crate) fn shown(&self) -> String {
        match &self.kind {
            TokenKind::End => "<EOF>".to_owned(),
            TokenKind::Plain(text) | TokenKind::Word(text) => text.clone(),
            TokenKind::Quoted(text) => format!("'{text}'"),
            TokenKind::Symbol(text) => (*text).to_owned(),
        }
    }
}

const SYMBOLS: &[&str] = &["!=", "<=", ">=", "<>", "=", "<", ">", "(", ")", ","];

/// Cuts a statement into tokens; the last one is the end.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, Refusal> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let first = rest.chars().next().unwrap_or(' ');
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let (kind, length) = token(rest, first).ok_or_else(|| bad_character(text, at, first))??;
        tokens.push(Token { kind, at });
        at += length;
    }
    tokens.push(Token { kind: TokenKind::End, at: text.len() });
    Ok(tokens)
}

type Cut = Result<(TokenKind, usize), Refusal>;

fn token(rest: &str, first: char) -> Option<Cut> {
    if first == '\'' {
        return quoted(rest).map(Ok);
    }
    let run = |more: fn(char) -> bool| rest.find(|character| !more(character)).unwrap_or(rest.len());
    if first.is_ascii_alphabetic() || first == '_' {
        let word = run(|character| character.is_ascii_alphanumeric() || matches!(character, '_' | '.'));
        let length = word + number_behind(rest.get(word..).unwrap_or_default());
        return Some(Ok((TokenKind::Word(rest.get(..length)?.to_owned()), length)));
    }
    if first.is_ascii_digit() || matches!(first, '-' | '+' | '.') {
        let length = run(|character| character.is_ascii_alphanumeric() || matches!(character, '-' | '+' | '.' | ':'));
        return Some(Ok((TokenKind::Plain(rest.get(..length)?.to_owned()), length)));
    }
    let symbol = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol))?;
    Some(Ok((TokenKind::Symbol(symbol), symbol.len())))
}

/// The length of `:30` in `LAST_N_DAYS:30`.
fn number_behind(rest: &str) -> usize {
    let digits = rest
        .strip_prefix(':')
        .map_or(0, |rest| rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len());
    if digits > 0 { digits + 1 } else { 0 }
}

/// Up to the closing quote; `None` where there is none.
fn quoted(rest: &str) -> Option<(TokenKind, usize)> {
    let inner = rest.get(1..)?;
    let mut escaped = false;
    for (at, character) in inner.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\'' => return Some((TokenKind::Quoted(inner.get(..at)?.to_owned()), at + 2)),
            _ => {}
        }
    }
    None
}

fn bad_character(text: &str, at: usize, first: char) -> Refusal {
    match first {
        '\'' => malformed(text, at, "unterminated string literal"),
        other => malformed(text, at, &format!("unexpected character: '{other}'")),
    }
}

/// `MALFORMED_QUERY` with the place.
pub(crate) fn malformed(text: &str, at: usize, message: &str) -> Refusal {
    errors::invalid("MALFORMED_QUERY", placed(text, at, message))
}

/// The line, a mark under the place, its row and column, and the message.
pub(crate) fn placed(text: &str, at: usize, message: &str) -> String {
    let before = text.get(..at).unwrap_or(text);
    let row = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = text.get(start..).unwrap_or_default().lines().next().unwrap_or_default();
    let column = text.get(start..at).unwrap_or_default().chars().count() + 1;
    // Of long lines only the surroundings are shown.
    let skipped = column.saturating_sub(60);
    let shown: String = line.chars().skip(skipped).take(120).collect();
    let mark = " ".repeat(column - 1 - skipped);
    format!("\n{shown}\n{mark}^\nERROR at Row:{row}:Column:{column}\n{message}")
}
