//! Finds each row's part in a batch's answer: by our own key, email, trace id or content, never by position.

use std::collections::BTreeMap;

use crate::object::OWN_KEY;
use crate::row::Row;
use crate::wire::{Refusal, WrittenRecord};

/// What a batch's answer says of each row, in the rows' order.
#[derive(Debug)]
pub(crate) enum Part {
    Refused(Refusal),
    Written(WrittenRecord),
    /// The answer does not mention the row.
    Unmentioned,
}

/// Deals out the results and errors of a batch of creates.
pub(crate) fn align_creates(rows: &[Row], results: Vec<WrittenRecord>, errors: Vec<Refusal>) -> Vec<Part> {
    let mut deal = Deal::new(rows, errors);
    let mut left = results;
    left = deal.by(left, |record| record.text(OWN_KEY).map(str::to_lowercase), |row| Some(row.key.to_lowercase()));
    left = deal.by(left, |record| record.trace_id.as_ref().map(|id| id.0.clone()), |row| Some(row.key.clone()));
    left = deal.by(left, |record| record.text("email").map(str::to_lowercase), Row::email);
    deal.by_content(left);
    deal.parts
}

/// Deals out the results and errors of a batch of updates.
pub(crate) fn align_updates(rows: &[Row], results: Vec<WrittenRecord>, errors: Vec<Refusal>) -> Vec<Part> {
    let mut deal = Deal::new(rows, errors);
    deal.by(results, |record| Some(record.id.0.clone()), |row| Some(row.key.clone()));
    deal.parts
}

struct Deal<'r> {
    rows: &'r [Row],
    parts: Vec<Part>,
}

impl<'r> Deal<'r> {
    /// Starts with the errors, which name their row by trace id or record id.
    fn new(rows: &'r [Row], errors: Vec<Refusal>) -> Self {
        let mut parts: Vec<Part> = rows.iter().map(|_| Part::Unmentioned).collect();
        let places: BTreeMap<&str, usize> = rows.iter().enumerate().map(|(at, row)| (row.key.as_str(), at)).collect();
        for refusal in errors {
            let named = ["objectWriteTraceId", "ids", "id"].iter().filter_map(|name| refusal.context.get(*name));
            let keys: Vec<String> = named.flat_map(|words| words.0.iter().cloned()).collect();
            let mut at: Vec<usize> = keys.iter().filter_map(|key| places.get(key.as_str()).copied()).collect();
            at.sort_unstable();
            at.dedup();
            for place in at {
                if let Some(part) = parts.get_mut(place) {
                    *part = Part::Refused(refusal.clone());
                }
            }
        }
        Self { rows, parts }
    }

    /// Gives each record to the row with the same word; hands back the records without one.
    fn by(
        &mut self,
        records: Vec<WrittenRecord>,
        of_record: impl Fn(&WrittenRecord) -> Option<String>,
        of_row: impl Fn(&Row) -> Option<String>,
    ) -> Vec<WrittenRecord> {
        let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, row) in self.rows.iter().enumerate() {
            if let Some(word) = self.open(at).then(|| of_row(row)).flatten() {
                places.entry(word).or_default().push(at);
            }
        }
        let mut left = Vec::new();
        for record in records {
            let word = of_record(&record);
            // A word that two rows share tells neither.
            match word.and_then(|word| places.remove(&word)).as_deref() {
                Some([at]) => self.give(*at, record),
                _ => left.push(record),
            }
        }
        left
    }

    /// Gives each record to the one open row whose content it has, where no other record has that too.
    fn by_content(&mut self, records: Vec<WrittenRecord>) {
        let open: Vec<usize> = (0..self.rows.len()).filter(|at| self.open(*at)).collect();
        let fits = |at: usize, record: &WrittenRecord| self.rows.get(at).is_some_and(|row| row.resembles(record));
        let rows_of = |record| open.iter().copied().filter(|at| fits(*at, record)).collect::<Vec<_>>();
        let chosen: Vec<Option<usize>> = records.iter().map(|record| only(&rows_of(record))).collect();
        let sole = |at: usize| records.iter().filter(|record| fits(at, record)).count() == 1;
        let chosen: Vec<Option<usize>> = chosen.into_iter().map(|at| at.filter(|at| sole(*at))).collect();
        for (record, at) in records.into_iter().zip(chosen) {
            if let Some(at) = at {
                self.give(at, record);
            }
        }
    }

    fn open(&self, at: usize) -> bool {
        matches!(self.parts.get(at), Some(Part::Unmentioned))
    }

    fn give(&mut self, at: usize, record: WrittenRecord) {
        if let Some(part) = self.parts.get_mut(at) {
            *part = Part::Written(record);
        }
    }
}

fn only(places: &[usize]) -> Option<usize> {
    match places {
        [at] => Some(*at),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(at: usize, key: &str, properties: &[(&str, &str)]) -> Row {
        let properties = properties.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        Row { at, key: key.to_owned(), properties, sent: Vec::new(), links: Vec::new() }
    }

    fn dealt(rows: &[Row], results: &str, errors: &str) -> Vec<String> {
        let parts = align_creates(rows, serde_json::from_str(results).unwrap(), serde_json::from_str(errors).unwrap());
        let shown = |part: Part| match part {
            Part::Refused(refusal) => refusal.message.unwrap_or_default(),
            Part::Written(record) => record.id.0,
            Part::Unmentioned => "?".to_owned(),
        };
        parts.into_iter().map(shown).collect()
    }

    #[test]
    fn rows_find_their_part_in_any_order() {
        let people = [row(0, "i1", &[("email", "A@x.com")]), row(1, "i2", &[("email", "b@x.com")]), row(2, "i3", &[])];
        let by_key =
            r#"[{"id":"9","properties":{"abmatic_sync_id":"i3"}},{"id":"8","properties":{"abmatic_sync_id":"i1"}}]"#;
        let refused = r#"[{"message":"no","context":{"objectWriteTraceId":["i2"]}}]"#;
        assert_eq!(dealt(&people, by_key, refused), ["8", "no", "9"]);
        let by_email = r#"[{"id":9,"properties":{"email":"b@x.com"}},{"id":8,"properties":{"email":"a@x.com"}}]"#;
        assert_eq!(dealt(&people, by_email, "[]"), ["8", "9", "?"]);
    }

    #[test]
    fn companies_are_told_apart_by_content_and_twins_are_not() {
        let companies = [row(0, "i1", &[("name", "A")]), row(1, "i2", &[("name", "B")])];
        let results = r#"[{"id":"2","properties":{"name":"B"}},{"id":"1","properties":{"name":"A"}}]"#;
        assert_eq!(dealt(&companies, results, "[]"), ["1", "2"]);
        let twins = [row(0, "i1", &[("name", "A")]), row(1, "i2", &[("name", "A")])];
        let results = r#"[{"id":"2","properties":{"name":"A"}},{"id":"1","properties":{"name":"A"}}]"#;
        assert_eq!(dealt(&twins, results, "[]"), ["?", "?"]);
    }
}
