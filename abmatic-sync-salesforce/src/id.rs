//! Record ids: 15 and 18 characters are the same id, and we keep 18.

/// The characters that the check letters of an 18-character id are from ("Reference: ID field type").
const CHECK_LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/// The id with its three check letters, so that no two ids differ by case alone. What is no 15-character id stays as it is.
pub(crate) fn long_id(id: &str) -> String {
    let id = id.trim();
    if id.len() != 15 || !is_id(id) {
        return id.to_owned();
    }
    let mut long = String::with_capacity(18);
    long.push_str(id);
    for block in id.as_bytes().chunks(5) {
        let bit = |(place, letter): (usize, &u8)| usize::from(letter.is_ascii_uppercase()) << place;
        let position: usize = block.iter().enumerate().map(bit).sum();
        long.push(char::from(CHECK_LETTERS[position % CHECK_LETTERS.len()]));
    }
    long
}

/// Whether a text has the form of an id.
pub(crate) fn is_id(text: &str) -> bool {
    matches!(text.len(), 15 | 18) && text.bytes().all(|letter| letter.is_ascii_alphanumeric())
}

/// The first id in a text of Salesforce's that begins after `marker`.
pub(crate) fn id_after(text: &str, marker: &str) -> Option<String> {
    let (_, rest) = text.split_once(marker)?;
    let id: String = rest.trim_start().chars().take_while(char::is_ascii_alphanumeric).collect();
    is_id(&id).then(|| long_id(&id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_ids_get_the_documented_check_letters() {
        let table = [
            ("001D000000IqhSL", "001D000000IqhSLIAZ"),
            ("003RO0000035WQg", "003RO0000035WQgYAM"),
            ("00Di0000000icUB", "00Di0000000icUBEAY"),
            ("001D000000IqhSLIAZ", "001D000000IqhSLIAZ"),
            ("001D000000Iq-SL", "001D000000Iq-SL"),
            ("", ""),
        ];
        for (given, expected) in table {
            assert_eq!(long_id(given), expected);
        }
    }

    #[test]
    fn an_id_is_found_in_a_message() {
        let message = "duplicate value found: Ext__c duplicates value on record with id: 001D000000IqhSL";
        assert_eq!(id_after(message, "record with id:").as_deref(), Some("001D000000IqhSLIAZ"));
        assert_eq!(id_after("duplicate value found: on record with id: ", "record with id:"), None);
    }
}
