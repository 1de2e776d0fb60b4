//! Live records by domain or email, in as few calls as HubSpot allows.

use abmatic_sync_core::connector::request::FindRequest;
use abmatic_sync_core::error::Result;
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::model::schema::FieldType;
use abmatic_sync_http::paging::repeated;

use crate::api::Api;
use crate::associations::Relation;
use crate::batch::{Batches, Found};
use crate::describe::described;
use crate::object::{Object, RECORD_ID};
use crate::record::Layout;
use crate::search::{Filter, PAGE_MAX, SearchBody, parts};
use crate::wire::Listing;

/// Live records by key. Contacts come from the store, companies from the search index; deals have no key.
pub(crate) async fn find(api: &Api, on: &Connection, request: FindRequest) -> Result<Vec<RemoteRecord>> {
    let object = Object::of(request.resource)?;
    if request.keys.is_empty() || object == Object::Deals {
        return Ok(Vec::new());
    }
    let described = described(api, on, object).await?;
    let layout = Layout::new(&request.fields, &described, Relation::among(object, &request.relations));
    let found = if object == Object::Contacts {
        // A secondary address finds its contact too; this shows which.
        let layout = layout.with("email", FieldType::Email).with("hs_additional_emails", FieldType::Text);
        Batches::new(api, on, object, &layout.with_merged_ids()).by("email").complete(&request.keys).await?
    } else {
        by_domain(api, on, &layout.with("domain", FieldType::Url).with_merged_ids(), &request.keys).await?
    };
    Ok(found.records.into_iter().map(|one| one.record).collect())
}

/// Companies whose domain is one of `domains`, as it is or behind `www.`.
async fn by_domain(api: &Api, on: &Connection, layout: &Layout, domains: &[String]) -> Result<Found> {
    let spellings: Vec<String> =
        domains.iter().flat_map(|domain| [domain.to_lowercase(), format!("www.{}", domain.to_lowercase())]).collect();
    let mut found = Found::default();
    for part in parts(&spellings) {
        let mut last = 0_u64;
        loop {
            let filters =
                [Filter::list("domain", "IN", part.clone()), Filter::compare(RECORD_ID, "GT", last.to_string())];
            let body = SearchBody::new(&[], &filters, layout.names(), PAGE_MAX);
            let answer = api.search(on, "hubspot find companies", Object::Companies, &body).await?;
            let listing: Listing<'_> = answer.json()?;
            let page = Found::decode(layout, &listing.results);
            let highest = page.records.iter().filter_map(|one| one.record.id.as_str().parse().ok()).max();
            let held = u64::try_from(listing.results.len()).unwrap_or(u64::MAX);
            found.records.extend(page.records);
            match highest {
                Some(highest) if listing.total.is_none_or(|total| held < total) => {
                    if highest <= last {
                        return Err(repeated(&last.to_string()).at("hubspot find companies"));
                    }
                    last = highest;
                }
                _ => break,
            }
        }
    }
    found.attach(api, on, &layout.relations).await?;
    Ok(found)
}
