//! A create is announced before it is sent, and verified after doubt: exactly once (I4).

use std::collections::{BTreeMap, BTreeSet};

use crate::connector::request::{CreateInDoubt, VerifyRequest, Written};
use crate::error::Result;
use crate::ids::{IntentId, LocalId, RemoteId};
use crate::model::fields::Fields;
use crate::model::record::RemoteRecord;
use crate::run::context::RunContext;
use crate::steps::form::kept_of;
use crate::steps::plan::Planned;
use crate::store::state::{Intent, Lease, LinkEnds};

/// What was announced before and surely did not happen: the intents by their records.
pub(crate) type Announced = BTreeMap<LocalId, IntentId>;

/// Commits the intents of these creates, and gives them in their order. One that was announced before, and is taken out of
/// `earlier`, keeps its id: whatever an earlier sending still comes to in the CRM, both make one record there.
pub(crate) async fn announce(
    context: &RunContext,
    lease: &Lease,
    earlier: &mut Announced,
    creates: &[&Planned],
) -> Result<Vec<Intent>> {
    let now = context.clock.now();
    let intents: Vec<Intent> = creates
        .iter()
        .filter_map(|planned| {
            let local = planned.pair.local.as_ref()?;
            let new = || IntentId::new(context.ids.next_id(now).to_string());
            let id = earlier.remove(&local.id).unwrap_or_else(new);
            Some(Intent::new(id, local.id.clone(), now, planned.to_remote.clone()))
        })
        .collect();
    context.store.state().announce(&context.scope, &context.extended(lease), &intents).await?;
    Ok(intents)
}

/// Asks the CRM which of these creates happened. One record is the outcome of one create, and none of them made what is of
/// another record, be it by its link or among `others`.
pub(crate) async fn verify(
    context: &RunContext,
    intents: &[Intent],
    mut others: BTreeSet<RemoteId>,
) -> Result<Vec<Option<RemoteRecord>>> {
    let mut found: Vec<Option<RemoteRecord>> = intents.iter().map(|_| None).collect();
    let mut open: Vec<usize> = (0..intents.len()).collect();
    while !open.is_empty() {
        let mut again = Vec::new();
        for part in open.chunks(context.capabilities.find_max.max(1)) {
            let known = others.clone();
            let answers = ask(context, part.iter().map(|&place| &intents[place]), &known).await?;
            let ids = answers.iter().flatten().map(|record| record.id.clone()).collect();
            let links = context.links(&LinkEnds::Remote(ids)).await?;
            for (&place, answer) in part.iter().zip(answers) {
                let Some(record) = answer.filter(|record| !known.contains(&record.id)) else { continue };
                let is_linked =
                    links.iter().any(|link| link.remote_id == record.id && link.local_id != intents[place].local_id);
                if others.insert(record.id.clone()) && !is_linked {
                    found[place] = Some(record);
                } else {
                    again.push(place);
                }
            }
        }
        open = again;
    }
    Ok(found)
}

/// The records of these creates, in their order.
async fn ask(
    context: &RunContext,
    intents: impl Iterator<Item = &Intent>,
    others: &BTreeSet<RemoteId>,
) -> Result<Vec<Option<RemoteRecord>>> {
    let creates: Vec<CreateInDoubt> = intents
        .map(|intent| CreateInDoubt::new(intent.id.clone(), intent.announced_at, intent.fields.clone()))
        .collect();
    let asked = creates.len();
    let mut request = VerifyRequest::new(context.remote_resource(), creates);
    request.fields = context.mapping.remote_names.clone();
    request.except.clone_from(others);
    let mut answers = context.connector.verify(&context.connection, request).await?;
    answers.resize_with(asked, || None);
    Ok(answers)
}

/// What was written, told from the record that a verification found.
pub(crate) fn written_as_found(record: &RemoteRecord, sent: &Fields) -> Written {
    let mut written = Written::new(record.id.clone());
    written.fields = kept_of(&record.fields, sent);
    written
}
