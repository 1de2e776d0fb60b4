//! Did a create in doubt happen? Asked by the own key, by email, or by search once the index has caught up.

use std::collections::BTreeMap;
use std::time::Duration;

use abmatic_sync_core::connector::request::{CreateInDoubt, VerifyRequest};
use abmatic_sync_core::error::Result;
use abmatic_sync_core::ids::RemoteId;
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::model::schema::FieldType;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_core::steps::recognise::{SKEW_MINUTES, Telling, recognise};
use chrono::TimeDelta;

use crate::api::Api;
use crate::batch::{Batches, Found};
use crate::describe::{Described, OwnKey, described};
use crate::object::{OWN_KEY, Object};
use crate::record::Layout;
use crate::search::{Filter, PAGE_MAX, SearchBody, equality};
use crate::wire::Listing;

/// The first wait for the index; each further one is twice as long.
const WAIT_MIN: Duration = Duration::from_secs(2);

/// For each create the record it made, `None` where it surely did not happen.
pub(crate) async fn verify(api: &Api, on: &Connection, request: VerifyRequest) -> Result<Vec<Option<RemoteRecord>>> {
    let object = Object::of(request.resource)?;
    let described = described(api, on, object).await?;
    let layout = Layout::new(&request.fields, &described, Vec::new());
    let verifier = Verifier { api, on, object, described: &described, layout };
    let mut found: Vec<Option<RemoteRecord>> = request.creates.iter().map(|_| None).collect();
    if described.own_key == OwnKey::Ready {
        let intent = |create: &CreateInDoubt| Some(create.intent.as_str().to_lowercase());
        verifier.by_key(&request.creates, OWN_KEY, false, intent, &mut found).await?;
        // Somebody may have archived it meanwhile: then it did happen, and is not to be made again.
        verifier.by_key(&request.creates, OWN_KEY, true, intent, &mut found).await?;
        return Ok(found);
    }
    if object == Object::Contacts {
        verifier.by_key(&request.creates, "email", false, email, &mut found).await?;
    }
    let told_by_email = |create: &CreateInDoubt| object == Object::Contacts && email(create).is_some();
    let sought: Vec<usize> = (0..found.len())
        .filter(|at| found.get(*at).is_some_and(Option::is_none))
        .filter(|at| request.creates.get(*at).is_some_and(|create| !told_by_email(create)))
        .collect();
    // Only these: what has an address and is not found by it did not happen, however alike another record is.
    let creates = sought.iter().filter_map(|at| request.creates.get(*at).cloned()).collect();
    let mut by_content = VerifyRequest::new(request.resource, creates);
    by_content.except = request.except;
    by_content.except.extend(found.iter().flatten().map(|record| record.id.clone()));
    for (at, record) in sought.into_iter().zip(verifier.by_search(&by_content).await?) {
        if let Some(place) = found.get_mut(at) {
            *place = record;
        }
    }
    Ok(found)
}

fn email(create: &CreateInDoubt) -> Option<String> {
    create.fields.get("email").and_then(Value::as_text).map(str::to_lowercase)
}

struct Verifier<'a> {
    api: &'a Api,
    on: &'a Connection,
    object: Object,
    described: &'a Described,
    layout: Layout,
}

impl Verifier<'_> {
    /// Reads what was not found yet by a unique property: from the store, or from the recycle bin, so that what is not found
    /// is not there.
    async fn by_key(
        &self,
        creates: &[CreateInDoubt],
        property: &'static str,
        archived: bool,
        key: impl Fn(&CreateInDoubt) -> Option<String>,
        found: &mut [Option<RemoteRecord>],
    ) -> Result<()> {
        let open = creates.iter().zip(found.iter()).filter(|(_, found)| found.is_none());
        let keys: Vec<String> = open.filter_map(|(create, _)| key(create)).collect();
        if keys.is_empty() {
            return Ok(());
        }
        let layout = self.layout.clone().with(property, FieldType::Text);
        let batches = Batches::new(self.api, self.on, self.object, &layout).by(property).archived(archived);
        let held = batches.complete(&keys).await?;
        let mut by_key: BTreeMap<String, RemoteRecord> = BTreeMap::new();
        for one in held.records {
            let text = one.record.fields.get(property).and_then(Value::as_text).map(str::to_lowercase);
            if let Some(text) = text {
                by_key.insert(text, one.record);
            }
        }
        for (create, place) in creates.iter().zip(found) {
            if place.is_none() {
                *place = key(create).and_then(|key| by_key.get(&key).cloned());
            }
        }
        Ok(())
    }

    /// Searches until everything is found or the index must have caught up.
    async fn by_search(&self, request: &VerifyRequest) -> Result<Vec<Option<RemoteRecord>>> {
        let lag = TimeDelta::from_std(self.api.visibility_lag).unwrap_or(TimeDelta::MAX);
        let mut found: Vec<Option<RemoteRecord>> = request.creates.iter().map(|_| None).collect();
        let mut wait = WAIT_MIN;
        loop {
            // Read before the search: what it does not show was not there by then.
            let now = self.api.clock().now();
            let mut held: BTreeMap<RemoteId, RemoteRecord> = BTreeMap::new();
            for (create, _) in request.creates.iter().zip(&found).filter(|(_, found)| found.is_none()) {
                held.extend(self.search(create).await?.into_iter().map(|record| (record.id.clone(), record)));
            }
            recognise(request, Telling::new(telling(self.object)), held.into_values().collect(), &mut found);
            let open = request.creates.iter().zip(&found).filter(|(_, found)| found.is_none());
            if open.map(|(create, _)| create.announced_at + lag).all(|ends| ends <= now) {
                return Ok(found);
            }
            self.api.clock().sleep(wait).await;
            wait = wait.saturating_mul(2).min(self.api.visibility_lag.max(WAIT_MIN));
        }
    }

    /// The records since the announcement that hold what was sent.
    async fn search(&self, create: &CreateInDoubt) -> Result<Vec<RemoteRecord>> {
        let since = create.announced_at - TimeDelta::minutes(SKEW_MINUTES);
        let mut filters = vec![Filter::compare("createdate", "GTE", since.timestamp_millis().to_string())];
        for name in telling(self.object) {
            if let Some(value) = create.fields.get(name).filter(|value| !value.is_blank()) {
                filters.push(equality(name, value, self.described.field_type(name)));
            }
        }
        let body = SearchBody::new(&[], &filters, self.layout.names(), PAGE_MAX);
        let operation = format!("hubspot verify {}", self.object.name());
        let answer = self.api.search(self.on, operation, self.object, &body).await?;
        let listing: Listing<'_> = answer.json()?;
        let found = Found::decode(&self.layout, &listing.results);
        Ok(found.records.into_iter().map(|one| one.record).collect())
    }
}

/// The properties by which a record is searched, where no key tells it.
fn telling(object: Object) -> &'static [&'static str] {
    match object {
        Object::Companies => &["domain", "name"],
        Object::Contacts => &["firstname", "lastname"],
        Object::Deals => &["dealname", "dealstage"],
    }
}
