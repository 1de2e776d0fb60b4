//! Whether the survivor of a deleted record may be deleted too: not where an edit would be lost with it.

use chrono::{DateTime, Utc};

use crate::model::link::Link;
use crate::model::record::{LocalRecord, RemoteRecord};
use crate::model::server_clock::Ahead;
use crate::steps::mapping::{CompiledMapping, MappedField};

/// What the CRM's records are judged by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ThereRules<'a> {
    /// The mapped fields.
    pub(crate) mapping: &'a CompiledMapping,
    /// How far the CRM's clock is ahead of the host's, where that is known.
    pub(crate) ahead: Option<Ahead>,
}

/// Why the host's record is kept, `None` where it may go. It has to be in the state that the base knows: whatever came
/// after that is an edit.
pub(crate) fn why_kept_here(link: &Link, survivor: Option<&LocalRecord>) -> Option<String> {
    match survivor.filter(|record| !record.deleted) {
        None => Some("both are gone".to_owned()),
        Some(record) if link.local_version == Some(record.version) => None,
        Some(_) => Some("it was edited in the host since: the edit is kept".to_owned()),
    }
}

/// Why the CRM's record is kept, `None` where it may go. Its mapped values have to be those that the base knows, and no
/// change of any field may be later than the deletion here.
pub(crate) fn why_kept_there(
    link: &Link,
    deleted: Option<&LocalRecord>,
    survivor: Option<&RemoteRecord>,
    rules: &ThereRules<'_>,
) -> Option<String> {
    let Some(record) = survivor.filter(|record| !record.deleted) else { return Some("both are gone".to_owned()) };
    if record.id != link.remote_id {
        return Some(format!("it lives on in {}", record.id));
    }
    let by_host_clock = |time: DateTime<Utc>| rules.ahead.map_or(time, |ahead| ahead.corrected(time));
    let is_later = match (record.modified_at, deleted) {
        (Some(modified_at), Some(deleted)) => by_host_clock(modified_at) > deleted.modified_at,
        (Some(_), None) => record.modified_at != link.remote_modified_at,
        (None, _) => false,
    };
    let differs = |field: &MappedField| {
        let Some(value) = record.fields.get(field.remote.as_str()) else { return false };
        match (field.to_local(value), link.base.remote(field.local.as_str())) {
            (Ok(now), Some(base)) => !field.same(&now, base),
            (Ok(now), None) => !now.is_blank(),
            (Err(_), _) => true,
        }
    };
    let is_edited = is_later || rules.mapping.fields.iter().filter(|field| field.relation.is_none()).any(differs);
    is_edited.then(|| "it was edited in the CRM since: the edit is kept".to_owned())
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::{ThereRules, why_kept_here, why_kept_there};
    use crate::model::fields::Fields;
    use crate::model::link::Link;
    use crate::model::mapping::{FieldMapping, Mapping};
    use crate::model::record::{LocalRecord, RemoteRecord, Version};
    use crate::model::resource::Resource;
    use crate::model::schema::{Field, FieldType, Schema};
    use crate::model::value::Value;
    use crate::steps::mapping::{CompiledMapping, Sides};

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    fn link() -> Link {
        let mut link = Link::new("l".into(), "r".into());
        link.base.agree("name".into(), Value::text("Acme"), Value::text("Acme"));
        link.local_version = Some(Version::new(3));
        link.remote_modified_at = Some(at(1));
        link
    }

    #[test]
    fn the_hosts_record_goes_only_in_the_state_that_the_base_knows() {
        let record = |version, deleted| {
            let mut record = LocalRecord::new("l", Fields::new(), Version::new(version), at(5));
            record.deleted = deleted;
            record
        };
        assert_eq!(why_kept_here(&link(), Some(&record(3, false))), None);
        assert!(why_kept_here(&link(), Some(&record(4, false))).is_some_and(|why| why.contains("edited in the host")));
        for survivor in [Some(&record(3, true)), None] {
            assert_eq!(why_kept_here(&link(), survivor).as_deref(), Some("both are gone"));
        }
        let open = Link { local_version: None, ..link() };
        assert!(why_kept_here(&open, Some(&record(3, false))).is_some(), "something here is still to be looked at");
    }

    #[test]
    fn the_crms_record_goes_only_without_an_edit() {
        let schema = Schema::new(vec![Field::new("name", FieldType::Text)]);
        let sides = Sides::new(Resource::Account, &schema, &schema);
        let mapping = CompiledMapping::compile(&Mapping::new(vec![FieldMapping::new("name", "name")]), sides).unwrap();
        let rules = ThereRules { mapping: &mapping, ahead: None };
        let mut deleted = LocalRecord::new("l", Fields::new(), Version::new(4), at(1));
        (deleted.deleted, deleted.modified_at) = (true, at(10));
        let record = |id: &str, name: &str, modified_at| {
            let mut record = RemoteRecord::new(id, Fields::from_iter([("name", Value::text(name))]));
            record.modified_at = modified_at;
            record
        };
        let cases = [
            ("r", "Acme", Some(9), true, ""),
            ("r", "Acme", None, true, ""),
            ("r", "Acme", Some(10), true, ""),
            ("r", "Acme", Some(11), true, "edited in the CRM"),
            ("r", "Other", Some(9), true, "edited in the CRM"),
            ("r2", "Acme", Some(9), true, "lives on in r2"),
            ("r", "Acme", Some(1), false, ""),
            ("r", "Acme", Some(2), false, "edited in the CRM"),
        ];
        for (id, name, second, is_remembered, expected) in cases {
            let survivor = record(id, name, second.map(at));
            let why = why_kept_there(&link(), Some(&deleted).filter(|_| is_remembered), Some(&survivor), &rules);
            let is_expected = why.as_deref().unwrap_or("").contains(expected) && why.is_some() != expected.is_empty();
            assert!(is_expected, "{id} {name} {second:?} {is_remembered}: {why:?}");
        }
        assert_eq!(why_kept_there(&link(), Some(&deleted), None, &rules).as_deref(), Some("both are gone"));
        // A field on which nobody agreed yet counts where it holds something.
        let unknown = Link::new("l".into(), "r".into());
        for (name, is_kept) in [("Acme", true), ("", false)] {
            let why = why_kept_there(&unknown, Some(&deleted), Some(&record("r", name, Some(at(9)))), &rules);
            assert_eq!(why.is_some(), is_kept, "{name:?}");
        }
    }
}
