//! Pages of every scope: all records, changes, filters, ids, list views, the recycle bin; and how many a scope holds.

use std::collections::BTreeMap;

use abmatic_sync_core::connector::request::{Page, Read, ReadRequest};
use abmatic_sync_core::error::{Error, ErrorCode, Result};
use abmatic_sync_core::filter::expr::Expr;
use abmatic_sync_core::ids::RemoteId;
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::resource::Resource;

use crate::api::Api;
use crate::describe::described;
use crate::filter::by_definitions;
use crate::layout::Layout;
use crate::list_view::{self, Members};
use crate::lookup::take_converted;
use crate::object::{DELETED, MODIFIED, Object};
use crate::reader::{Bin, Found, Reader};
use crate::record::Decoded;
use crate::roles;
use crate::soql::{Query, moment};
use crate::walk::{Order, Step, Walk};
use crate::wire::CountAnswer;

/// Records in one page of a query ("Query Options Header"; wide rows make pages smaller).
pub(crate) const QUERY_PAGE_MAX: usize = 2_000;

/// Reads one page.
pub(crate) async fn read(api: &Api, on: &Connection, request: ReadRequest) -> Result<Page> {
    let object = Object::of(request.resource)?;
    let described = described(api, on, object).await?;
    let reader = Reader::new(api, on, object, described, "read");
    let layout = Layout::new(object, &request.fields, &request.relations, &reader.described);
    match &request.read {
        Read::Ids(ids) => {
            let ids: Vec<String> = ids.iter().map(|id| id.as_str().to_owned()).collect();
            let found = reader.by_ids(&layout, &ids).await?;
            Ok(Step { found, next: None, total: None }.into_page())
        }
        Read::List(list) => list_view::page(&reader, layout, list, request.cursor.as_ref()).await,
        read => {
            let walk = walk(&reader, layout, read)?;
            let mut step = walk.step(request.cursor.as_ref()).await?;
            if walk.layout.roles {
                roles::attach(&reader, &mut step.found.records).await?;
            }
            match read {
                Read::Changed { .. } => settle_changes(&reader, &walk.layout, &mut step.found).await?,
                Read::Archived { .. } => {}
                _ => step.found.records.retain(|one| !one.record.deleted && one.converted.is_none()),
            }
            Ok(step.into_page())
        }
    }
}

/// The way through a scope that is a query.
fn walk<'r, 'a>(reader: &'r Reader<'a>, layout: Layout, read: &Read) -> Result<Walk<'r, 'a>> {
    let object = reader.object;
    match read {
        Read::All => {
            let query = reader.own_query(&layout);
            Ok(Walk { reader, layout, query, order: Order::Id, bin: Bin::LeftOut })
        }
        Read::Filter(filter) => {
            let query = reader.own_query(&layout).filtered(condition(reader, filter)?);
            Ok(Walk { reader, layout, query, order: Order::Id, bin: Bin::LeftOut })
        }
        // Over the bin, since what was merged away tells its survivor's link where to go.
        Read::Changed { since, until, filter } => {
            let layout = layout.with_bin(object);
            let since = format!("{MODIFIED} >= {}", moment(*since));
            let mut query = Query::new(layout.select(), object.name())
                .filtered(since)
                .filtered(format!("{MODIFIED} <= {}", moment(*until)));
            // Leads that have become contacts are followed; persons are never accounts.
            if let (Object::Account, Some(own)) = (object, reader.own_condition()) {
                query = query.filtered(own);
            }
            if let Some(filter) = filter {
                query = query.filtered(condition(reader, filter)?);
            }
            Ok(Walk { reader, layout, query, order: Order::Modified, bin: Bin::Included })
        }
        // Merged ones among them: where those went is seen when they are read by id.
        Read::Archived { since } => {
            let layout = layout.with_bin(object);
            let mut query = Query::new(layout.select(), object.name()).filtered(format!("{DELETED} = TRUE"));
            if let Some(since) = since {
                query = query.filtered(format!("{MODIFIED} >= {}", moment(*since)));
            }
            Ok(Walk { reader, layout, query, order: Order::Modified, bin: Bin::Included })
        }
        _ => Err(reader.at(Error::invalid(ErrorCode::Unsupported, "salesforce has no such read"))),
    }
}

/// A filter's condition, checked against the org's own definitions.
fn condition(reader: &Reader<'_>, filter: &Expr) -> Result<String> {
    by_definitions(filter, &reader.described).map_err(|why| reader.at(Error::invalid(ErrorCode::InvalidFilter, why)))
}

/// Leaves of the changes what is live, with merged records and converted leads followed to where they went.
async fn settle_changes(reader: &Reader<'_>, layout: &Layout, found: &mut Found) -> Result<()> {
    let converted = take_converted(found);
    let (gone, mut live): (Vec<Decoded>, Vec<Decoded>) = found.records.drain(..).partition(|one| one.record.deleted);
    let places: BTreeMap<RemoteId, usize> =
        live.iter().enumerate().map(|(place, one)| (one.record.id.clone(), place)).collect();
    let mut elsewhere = Vec::new();
    for one in gone {
        let Some(master) = one.master else { continue };
        match places.get(&RemoteId::from(master)).and_then(|place| live.get_mut(*place)) {
            Some(survivor) => survivor.record.merged_ids.push(one.record.id),
            None => elsewhere.push(one.record.id.to_string()),
        }
    }
    found.records = live;
    if !elsewhere.is_empty() {
        let survivors = reader.by_ids(layout, &elsewhere).await?;
        found.records.extend(survivors.records);
        found.undecodable.extend(survivors.undecodable);
    }
    let contacts = reader.contacts_of(layout, converted).await?;
    found.records.extend(contacts.records);
    found.undecodable.extend(contacts.undecodable);
    Ok(())
}

/// How many records `read` holds.
pub(crate) async fn count(api: &Api, on: &Connection, resource: Resource, read: &Read) -> Result<Option<u64>> {
    let object = Object::of(resource)?;
    let described = described(api, on, object).await?;
    let reader = Reader::new(api, on, object, described, "count");
    let mut query = Query::new("COUNT()", object.name());
    if let Some(own) = reader.own_condition() {
        query = query.filtered(own);
    }
    match read {
        Read::All => {}
        Read::Filter(filter) => match by_definitions(filter, &reader.described) {
            Ok(condition) => query = query.filtered(condition),
            Err(_) => return Ok(None),
        },
        Read::Changed { since, until, filter } => {
            query = query
                .filtered(format!("{MODIFIED} >= {}", moment(*since)))
                .filtered(format!("{MODIFIED} <= {}", moment(*until)));
            match filter.as_ref().map(|filter| by_definitions(filter, &reader.described)) {
                Some(Ok(condition)) => query = query.filtered(condition),
                Some(Err(_)) => return Ok(None),
                None => {}
            }
        }
        Read::Ids(ids) => return Ok(u64::try_from(ids.len()).ok()),
        Read::List(list) => match list_view::members(&reader, list).await? {
            Members::Query { from, condition } => {
                query = list_view::scoped(&reader, "COUNT()", &from, condition.as_deref());
            }
            Members::Rows(_) => return Ok(None),
        },
        _ => return Ok(None),
    }
    let answer = api.query(on, reader.operation.clone(), &query.text(), false).await?;
    answer.json::<CountAnswer>().map(|answer| Some(answer.total_size))
}
