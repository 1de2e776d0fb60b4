//! Record ids: fifteen case-sensitive characters, and three more that make them safe to compare without case.

/// A key prefix, for example `001`.
pub(crate) type Prefix = [u8; 3];

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const CHECKSUM: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
/// What the ids of one instance have in common, behind the prefix.
const POD: &[u8; 3] = b"5e0";
/// The number of the first record of each object; far from zero, so that ids have letters of both cases.
pub(crate) const FIRST_NUMBER: u64 = 528_200_000_000;

/// An id that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RecordId {
    pub(crate) prefix: Prefix,
    /// Its number; `u64::MAX` for an id of another instance.
    pub(crate) number: u64,
}

/// Reads an id of 15 or 18 characters; the long form may have lost its case.
pub(crate) fn parse(text: &str) -> Option<RecordId> {
    let bytes = text.as_bytes();
    if !bytes.iter().all(u8::is_ascii_alphanumeric) {
        return None;
    }
    let mut short: [u8; 15] = bytes.get(..15)?.try_into().ok()?;
    match bytes.get(15..)? {
        [] => {}
        suffix @ [_, _, _] => restore_case(&mut short, suffix)?,
        _ => return None,
    }
    let [first, second, third, ..] = short;
    let number = if short.get(3..6) == Some(POD.as_slice()) { number_of(short.get(6..)?)? } else { u64::MAX };
    Some(RecordId { prefix: [first, second, third], number })
}

/// Sets each letter's case as the checksum says; `None` where it asks for a capital digit.
fn restore_case(short: &mut [u8; 15], suffix: &[u8]) -> Option<()> {
    for (block, mark) in short.chunks_mut(5).zip(suffix) {
        let bits = CHECKSUM.iter().position(|known| known.eq_ignore_ascii_case(mark))?;
        for (at, character) in block.iter_mut().enumerate() {
            let is_capital = bits >> at & 1 == 1;
            match (is_capital, character.is_ascii_alphabetic()) {
                (true, true) => character.make_ascii_uppercase(),
                (false, true) => character.make_ascii_lowercase(),
                (true, false) => return None,
                (false, false) => {}
            }
        }
    }
    Some(())
}

fn number_of(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0_u64, |number, digit| {
        let value = DIGITS.iter().position(|known| known == digit)?;
        Some(number * 62 + value as u64)
    })
}

/// The 15 characters of a record's id.
fn short(prefix: Prefix, mut number: u64) -> [u8; 15] {
    let mut id = [b'0'; 15];
    id[..3].copy_from_slice(&prefix);
    id[3..6].copy_from_slice(POD);
    for slot in id[6..].iter_mut().rev() {
        let digit = usize::try_from(number % 62).unwrap_or(0);
        *slot = DIGITS.get(digit).copied().unwrap_or(b'0');
        number /= 62;
    }
    id
}

/// Appends the 18 characters of a record's id.
pub(crate) fn write(out: &mut Vec<u8>, prefix: Prefix, number: u64) {
    let id = short(prefix, number);
    out.extend_from_slice(&id);
    for block in id.chunks(5) {
        let bits =
            block.iter().rev().fold(0, |bits, character| bits << 1 | usize::from(character.is_ascii_uppercase()));
        out.push(CHECKSUM.get(bits).copied().unwrap_or(b'A'));
    }
}

/// The 18 characters of a record's id.
pub(crate) fn text(prefix: Prefix, number: u64) -> String {
    let mut out = Vec::with_capacity(18);
    write(&mut out, prefix, number);
    String::from_utf8(out).unwrap_or_default()
}

/// The 15 characters of a record's id, as some error messages show them.
pub(crate) fn short_text(prefix: Prefix, number: u64) -> String {
    short(prefix, number).iter().copied().map(char::from).collect()
}

/// Any id in its long form with its own case, also one of another instance.
pub(crate) fn canonical(text: &str) -> Option<String> {
    let mut short: [u8; 15] = text.as_bytes().get(..15)?.try_into().ok()?;
    parse(text)?;
    if let Some(suffix) = text.as_bytes().get(15..).filter(|suffix| !suffix.is_empty()) {
        restore_case(&mut short, suffix)?;
    }
    let mut out = short.to_vec();
    for block in short.chunks(5) {
        let bits =
            block.iter().rev().fold(0, |bits, character| bits << 1 | usize::from(character.is_ascii_uppercase()));
        out.push(CHECKSUM.get(bits).copied().unwrap_or(b'A'));
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::{FIRST_NUMBER, canonical, parse, short_text, text};

    #[test]
    fn checksums_are_those_of_the_documentation() {
        for id in ["001D000000IqhSLIAZ", "003RO0000035WQgYAM", "00Di0000000icUBEAY"] {
            assert_eq!(canonical(&id[..15]).as_deref(), Some(id));
            assert_eq!(canonical(&id.to_lowercase()).as_deref(), Some(id), "the long form has no case");
        }
    }

    #[test]
    fn ids_read_back_in_both_forms() {
        for number in [0, FIRST_NUMBER, FIRST_NUMBER + 61] {
            let (long, short) = (text(*b"00Q", number), short_text(*b"00Q", number));
            for form in [long.as_str(), &short, &long.to_uppercase()] {
                let id = parse(form).unwrap();
                assert_eq!((id.prefix, id.number), (*b"00Q", number), "{form}");
            }
        }
        for wrong in ["", "001", "0015e00000ZkM3hAA", "0015e00000ZkM-h", "1015E00000000000ZZ"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        assert_eq!(parse("001D000000IqhSLIAZ").unwrap().number, u64::MAX, "another instance's");
    }
}
