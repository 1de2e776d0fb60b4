//! Quoted literals: their escapes undone, and patterns of `LIKE`.

use crate::fake::salesforce::errors::Refusal;
use crate::fake::salesforce::soql::token::malformed;

/// Characters of one quoted literal.
const CHARACTERS_MAX: usize = 4000;

/// A part of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// `%`
    Any,
    /// A character in lower case.
    Character(char),
    /// `_`
    One,
}

/// Undoes the escapes of a literal at that place of the statement.
pub(crate) fn text(statement: &str, at: usize, raw: &str) -> Result<String, Refusal> {
    let characters = characters(statement, at, raw, false)?;
    Ok(characters.into_iter().map(|(character, _)| character).collect())
}

/// Reads a pattern.
pub(crate) fn pattern(statement: &str, at: usize, raw: &str) -> Result<Vec<Part>, Refusal> {
    let part = |(character, escaped): (char, bool)| match character {
        '%' if !escaped => vec![Part::Any],
        '_' if !escaped => vec![Part::One],
        other => other.to_lowercase().map(Part::Character).collect(),
    };
    Ok(characters(statement, at, raw, true)?.into_iter().flat_map(part).collect())
}

/// Each character, and whether it was escaped.
fn characters(statement: &str, at: usize, raw: &str, in_like: bool) -> Result<Vec<(char, bool)>, Refusal> {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw.chars();
    while let Some(character) = rest.next() {
        if character != '\\' {
            out.push((character, false));
            continue;
        }
        let escape = rest.next().unwrap_or(' ');
        let read = match escape {
            'n' | 'N' => Some('\n'),
            'r' | 'R' => Some('\r'),
            't' | 'T' => Some('\t'),
            'b' | 'B' => Some('\u{8}'),
            'f' | 'F' => Some('\u{c}'),
            '"' | '\'' | '\\' => Some(escape),
            '%' | '_' if in_like => Some(escape),
            'u' => unicode(&mut rest),
            _ => None,
        };
        let Some(read) = read else {
            let message =
                format!("Invalid string literal '{raw}'. Illegal character sequence '\\{escape}' in string literal.");
            return Err(malformed(statement, at, &message));
        };
        out.push((read, true));
    }
    if out.len() > CHARACTERS_MAX {
        let message = format!("string literal is longer than {CHARACTERS_MAX} characters");
        return Err(malformed(statement, at, &message));
    }
    Ok(out)
}

fn unicode(rest: &mut std::str::Chars<'_>) -> Option<char> {
    let digits: String = rest.by_ref().take(4).collect();
    u32::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 4).and_then(char::from_u32)
}

/// Whether a text, already in lower case, matches.
pub(crate) fn matches(pattern: &[Part], text: &[char]) -> bool {
    // The usual two pointers: on a mismatch the last `%` takes one character more.
    let (mut at, mut part) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(part) {
            Some(Part::Any) => {
                part += 1;
                retry = Some((at, part));
            }
            Some(Part::One) => (at, part) = (at + 1, part + 1),
            Some(Part::Character(wanted)) if text.get(at) == Some(wanted) => (at, part) = (at + 1, part + 1),
            _ => match retry {
                Some((from, after)) => {
                    retry = Some((from + 1, after));
                    (at, part) = (from + 1, after);
                }
                None => return false,
            },
        }
    }
    pattern.get(part..).unwrap_or_default().iter().all(|part| *part == Part::Any)
}

#[cfg(test)]
mod tests {
    use super::{matches, pattern, text};

    #[test]
    fn escapes_are_undone_or_refused() {
        for (raw, read) in [
            (r"O\'Neil \\ \n", Some("O'Neil \\ \n")),
            (r"\u00e4", Some("ä")),
            (r"50\%", None),
            (r"\x", None),
            (r"\u00g", None),
        ] {
            assert_eq!(text("", 0, raw).ok().as_deref(), read, "{raw}");
        }
    }

    #[test]
    fn patterns_match_without_case() {
        for (raw, sample, expected) in [
            ("ac%", "acme", true),
            ("AC_E", "acme", true),
            ("%m%", "acme", true),
            ("a%e%", "acme", true),
            ("a_", "acme", false),
            (r"50\%", "50%", true),
            (r"50\%", "500", false),
            (r"a\_b", "axb", false),
            ("%", "", true),
        ] {
            let characters: Vec<char> = sample.chars().collect();
            assert_eq!(matches(&pattern("", 0, raw).unwrap(), &characters), expected, "{raw} {sample}");
        }
    }
}
