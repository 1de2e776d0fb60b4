//! A create is announced before it is sent, and verified after doubt: exactly once (I4).

use std::collections::BTreeMap;

use crate::connector::request::{CreateInDoubt, VerifyRequest, Written};
use crate::error::Result;
use crate::ids::{IntentId, LocalId};
use crate::model::fields::Fields;
use crate::model::record::RemoteRecord;
use crate::run::context::RunContext;
use crate::steps::form::kept_of;
use crate::steps::plan::Planned;
use crate::store::state::{Intent, Lease};

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

/// Asks the CRM which of these creates happened.
pub(crate) async fn verify(context: &RunContext, intents: &[Intent]) -> Result<Vec<Option<RemoteRecord>>> {
    let mut found = Vec::with_capacity(intents.len());
    for chunk in intents.chunks(context.capabilities.find_max.max(1)) {
        let creates = chunk
            .iter()
            .map(|intent| CreateInDoubt::new(intent.id.clone(), intent.announced_at, intent.fields.clone()))
            .collect();
        let mut request = VerifyRequest::new(context.remote_resource(), creates);
        request.fields = context.mapping.remote_names.clone();
        let mut answers = context.connector.verify(&context.connection, request).await?;
        answers.resize_with(chunk.len(), || None);
        found.extend(answers);
    }
    Ok(found)
}

/// What was written, told from the record that a verification found.
pub(crate) fn written_as_found(record: &RemoteRecord, sent: &Fields) -> Written {
    let mut written = Written::new(record.id.clone());
    written.fields = kept_of(&record.fields, sent);
    written
}
