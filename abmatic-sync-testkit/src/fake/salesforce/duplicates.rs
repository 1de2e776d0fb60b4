//! Duplicate rules: a record that looks like another one is not saved, or only if the caller insists.

use serde_json::{Value, json};

use crate::fake::salesforce::draft::Changes;
use crate::fake::salesforce::errors::RowError;
use crate::fake::salesforce::kind::Kind;
use crate::fake::salesforce::settings::DuplicateRule;
use crate::fake::salesforce::shelf::{Shelf, folded};
use crate::fake::salesforce::state::State;
use crate::fake::salesforce::turn::Turn;

/// The words since version 62, and those before.
const TEXTS: [&str; 2] = [
    "Use one of these records?",
    "You're creating a duplicate record. We recommend you use an existing record instead.",
];

/// The error of a record that has doubles, if a rule is on that looks for them.
pub(crate) fn check(
    state: &State,
    turn: &Turn,
    kind: Kind,
    target: Option<u64>,
    changes: &Changes,
) -> Option<RowError> {
    let shelf = state.shelf(kind);
    let rules = state.settings.duplicate_rules.iter().filter(|rule| rule.kind == kind);
    let stopped = rules.filter(|rule| !(rule.allow_save && turn.allow_save));
    let found = stopped.map(|rule| (rule, doubles(shelf, rule, target, changes))).find(|(_, ids)| !ids.is_empty());
    let (rule, ids) = found?;
    let message = TEXTS[usize::from(turn.version < 60)];
    let error = RowError::new("DUPLICATES_DETECTED", message);
    Some(RowError { duplicates: Some(details(turn, rule, message, &ids)), ..error })
}

/// Live records that have the same in all of the rule's fields; a field that is empty matches nothing.
fn doubles(shelf: &Shelf, rule: &DuplicateRule, target: Option<u64>, changes: &Changes) -> Vec<String> {
    let mut wanted = Vec::new();
    for name in &rule.fields {
        let Some(id) = shelf.catalogue.id(name) else { return Vec::new() };
        let sent = changes.iter().find(|(field, _)| *field == id).map(|(_, value)| value.as_deref());
        let before = target.and_then(|number| shelf.get(number)).and_then(|record| record.values.get(id));
        match sent.unwrap_or(before) {
            Some(value) => wanted.push((id, folded(value))),
            None => return Vec::new(),
        }
    }
    let same = |number: &u64| {
        Some(*number) != target
            && shelf.live(*number).is_some_and(|record| {
                wanted.iter().all(|(id, value)| record.values.get(*id).is_some_and(|stored| folded(stored) == *value))
            })
    };
    let indexed = wanted.iter().find(|(id, _)| shelf.is_indexed(*id));
    let numbers: Vec<u64> = match indexed {
        Some((id, value)) => shelf.candidates(*id, value).filter(same).collect(),
        None => shelf.iter().map(|(number, _)| number).filter(same).collect(),
    };
    numbers.into_iter().map(|number| shelf.id(number)).collect()
}

fn details(turn: &Turn, rule: &DuplicateRule, message: &str, ids: &[String]) -> Value {
    let entity = rule.kind.name();
    let record = |id: &String| {
        let url = format!("{}/sobjects/{entity}/{id}", turn.base());
        json!({
            "additionalInformation": [], "fieldDiffs": [], "matchConfidence": 100.0,
            "record": {"attributes": {"type": entity, "url": url}, "Id": id},
        })
    };
    json!({
        "allowSave": rule.allow_save, "duplicateRule": format!("Standard_{entity}_Duplicate_Rule"),
        "duplicateRuleEntityType": entity, "errorMessage": message,
        "matchResults": [{
            "entityType": entity, "errors": [], "matchEngine": "FuzzyMatchEngine",
            "matchRecords": ids.iter().map(record).collect::<Vec<Value>>(),
            "rule": format!("Standard_{entity}_Match_Rule_v1_1"), "size": ids.len(), "success": true,
        }],
    })
}
