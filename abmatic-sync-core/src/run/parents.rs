//! Fields that a record shows of its parent: `account.name` of a contact is the name of its account.
//!
//! They are mapped like a field of the record's own, only to the CRM: the parent is written as itself. A parent's edit alone
//! does not make its children changed records, so such a value travels with the child's next change.

use std::collections::{BTreeSet, HashMap};

use crate::error::Result;
use crate::ids::{FieldName, LocalId};
use crate::model::record::LocalRecord;
use crate::model::resource::{Relation, Resource};
use crate::model::schema::Schema;
use crate::model::value::Value;
use crate::run::context::RunContext;
use crate::steps::mapping::CompiledMapping;
use crate::store::records::RecordStore;

/// What is shown of one parent: the child's field with its name, and the parent's own field.
#[derive(Clone, Debug)]
pub(crate) struct ParentFields {
    relation: Relation,
    fields: Vec<(FieldName, FieldName)>,
}

/// The host's fields for `resource`, with those of its parents.
pub(crate) fn with_parents(records: &dyn RecordStore, resource: Resource) -> Schema {
    let mut schema = records.schema(resource);
    for relation in single(resource) {
        for mut field in records.schema(relation.target).fields {
            field.name = FieldName::from(format!("{}.{}", relation.field, field.name).as_str());
            field.required_on_create = false;
            schema.fields.push(field.read_only());
        }
    }
    schema.fields.sort_by(|a, b| a.name.cmp(&b.name));
    schema
}

/// What of their parents a mapping asks of records.
pub(crate) fn followed(mapping: &CompiledMapping, resource: Resource) -> Vec<ParentFields> {
    let shown = |relation: Relation| {
        let own = |name: &FieldName| {
            let (parent, field) = name.as_str().split_once('.')?;
            (parent == relation.field).then(|| (name.clone(), FieldName::from(field)))
        };
        let fields: Vec<_> = mapping.fields.iter().filter_map(|field| own(&field.local)).collect();
        (!fields.is_empty()).then_some(ParentFields { relation, fields })
    };
    single(resource).filter_map(shown).collect()
}

/// Shows records their parents' fields, with one read for each kind of parent.
pub(crate) async fn show_parents(context: &RunContext, mut records: Vec<&mut LocalRecord>) -> Result<()> {
    for shown in &context.parents {
        let named = |record: &LocalRecord| {
            let id = record.fields.get(shown.relation.field).and_then(|value| value.ids().next().map(LocalId::from));
            id.filter(|_| !record.deleted)
        };
        let ids: BTreeSet<LocalId> = records.iter().filter_map(|record| named(record)).collect();
        if ids.is_empty() {
            continue;
        }
        let ids: Vec<LocalId> = ids.into_iter().collect();
        let parents = context.store.records().read(&context.scope.tenant, shown.relation.target, &ids).await?;
        let live = parents.into_iter().filter(|parent| !parent.deleted);
        let parents: HashMap<LocalId, LocalRecord> = live.map(|parent| (parent.id.clone(), parent)).collect();
        for record in &mut records {
            let parent = named(record).and_then(|id| parents.get(&id));
            for (name, field) in &shown.fields {
                let value = parent.and_then(|parent| parent.fields.get(field.as_str())).cloned();
                record.fields.insert(name.clone(), value.unwrap_or(Value::Null));
            }
        }
    }
    Ok(())
}

fn single(resource: Resource) -> impl Iterator<Item = Relation> {
    resource.relations().iter().copied().filter(|relation| !relation.many)
}
