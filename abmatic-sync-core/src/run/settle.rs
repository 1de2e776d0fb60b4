//! Creates that an earlier run announced and did not see through: linked where they happened, else tried again (I4).

use std::collections::BTreeSet;

use crate::error::Result;
use crate::ids::{IntentId, LocalId};
use crate::model::change::Direction;
use crate::model::fields::Fields;
use crate::model::journal::{LogEntry, Status};
use crate::model::link::{Awaited, Link};
use crate::model::record::{RecordId, RemoteRecord};
use crate::model::resource::Side;
use crate::model::value::Value;
use crate::run::context::RunContext;
use crate::run::intent::{Announced, verify};
use crate::run::pairing::{PassOver, pair_local};
use crate::run::process::{Prepared, Progressing, carry_out};
use crate::run::read::Block;
use crate::steps::form::kept_of;
use crate::store::page::StateCommit;
use crate::store::state::{Intent, Lease, RunRecord};

/// Asks the CRM about the open intents. Those that happened are linked, whatever the operation: nothing else may take
/// their records for new ones. The others are tried again where this operation creates there.
pub(crate) async fn settle_open_intents(context: &RunContext, lease: &Lease, record: &mut RunRecord) -> Result<()> {
    let intents = context.store.state().open_intents(&context.scope).await?;
    if intents.is_empty() {
        return Ok(());
    }
    let mut happened = Vec::new();
    let mut lost = Vec::new();
    for (intent, found) in intents.iter().zip(verify(context, &intents, BTreeSet::new()).await?) {
        match found {
            Some(remote) => happened.push((intent, remote)),
            None => lost.push(intent),
        }
    }
    link_found(context, lease, record, &happened).await?;
    if !context.writes(Side::Remote).create || lost.is_empty() {
        return Ok(());
    }
    // Each once, should there be two for one record.
    let mut announced: Announced = lost.iter().map(|intent| (intent.local_id.clone(), intent.id.clone())).collect();
    let ids: BTreeSet<IntentId> = announced.values().cloned().collect();
    let records: Vec<LocalId> = announced.keys().cloned().collect();
    for part in records.chunks(context.local_block()) {
        let paired = pair_local(context, context.read_local(part).await?, PassOver::None).await?;
        let checkpoint = record.checkpoint.clone();
        let announced = &mut announced;
        let progress = Progressing { lease, record: &mut *record, cursors: Vec::new(), checkpoint, announced };
        carry_out(context, Prepared::of(context, paired, Block::default()).await?, progress).await?;
    }
    // Only now: until then the old intents are all that knows of these creates. Those that were announced anew have their
    // outcome by now, or are in doubt again.
    let is_over = |intent: &&Intent| !ids.contains(&intent.id) || announced.get(&intent.local_id) == Some(&intent.id);
    let mut commit = StateCommit::new(record.clone());
    commit.closed_intents = lost.into_iter().filter(is_over).map(|intent| intent.id.clone()).collect();
    context.store.state().commit(&context.scope, &context.extended(lease), &commit).await
}

async fn link_found(
    context: &RunContext,
    lease: &Lease,
    record: &mut RunRecord,
    happened: &[(&Intent, RemoteRecord)],
) -> Result<()> {
    record.counts.read += happened.len() as u64;
    record.counts.created += happened.len() as u64;
    let mut commit = StateCommit::new(record.clone());
    for (intent, remote) in happened {
        commit.links.push(link_of(context, intent, remote));
        commit.log.push(entry_of(context, record, intent, remote));
        commit.closed_intents.push(intent.id.clone());
        commit.released.push(RecordId::Local(intent.local_id.clone()));
    }
    context.store.state().commit(&context.scope, &context.extended(lease), &commit).await
}

fn link_of(context: &RunContext, intent: &Intent, remote: &RemoteRecord) -> Link {
    let mut link = Link::new(intent.local_id.clone(), remote.id.clone());
    let kept = kept_of(&remote.fields, &intent.fields);
    for field in context.mapping.fields.iter().filter(|field| field.relation.is_none()) {
        let in_host_words = |fields: &Fields| fields.get(field.remote.as_str()).and_then(|v| field.to_local(v).ok());
        let sent = match in_host_words(&intent.fields) {
            Some(sent) => sent,
            // It was blank then: blanks are not sent.
            None if field.is_open(Direction::FromAbmatic) => Value::Null,
            None => continue,
        };
        let kept = in_host_words(&kept).unwrap_or_else(|| sent.clone());
        link.base.agree(field.local.clone(), sent, kept);
    }
    link.remote_modified_at = remote.modified_at;
    // Whether the create's references were written is not known: the next sync looks at the record again.
    link.waiting_for.insert(Awaited::AnotherLook);
    link
}

fn entry_of(context: &RunContext, record: &RunRecord, intent: &Intent, remote: &RemoteRecord) -> LogEntry {
    let (connection, resource) = (context.scope.connection.clone(), context.scope.resource);
    let (way, now) = (Direction::FromAbmatic, context.clock.now());
    let mut entry = LogEntry::new(record.id.clone(), connection, resource, Status::Created, way, now);
    entry.local_id = Some(intent.local_id.clone());
    entry.remote_id = Some(remote.id.clone());
    entry.message = "created in the CRM by an earlier run that did not get the answer".to_owned();
    entry
}
