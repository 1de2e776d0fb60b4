//! Whom a request is for: the connector, both sides' fields, the mapping between them, and who evaluates the filter.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};

use crate::connector::capabilities::ResourceCapabilities;
use crate::connector::contract::CrmConnector;
use crate::connector::request::Pushdown;
use crate::engine::Engine;
use crate::error::{Error, ErrorCode, Result};
use crate::filter::check::check;
use crate::filter::expr::Expr;
use crate::model::connection::Connection;
use crate::model::link::LinkScope;
use crate::model::mapping::Mapping;
use crate::model::resource::Resource;
use crate::model::schema::Schema;
use crate::policy::{Policy, Scope};
use crate::run::parents::with_parents;
use crate::run::request::{Operation, RunRequest};
use crate::steps::mapping::{CompiledMapping, Sides};

/// How long a CRM's field definitions are taken to hold, in seconds.
const SCHEMA_TTL_SECONDS: i64 = 600;

/// A connector, and what it offers for the resource that is meant.
pub(super) struct Target {
    pub(super) connector: Arc<dyn CrmConnector>,
    pub(super) capabilities: ResourceCapabilities,
    pub(super) scope: LinkScope,
}

impl Engine {
    pub(super) fn connector(&self, on: &Connection) -> Result<&Arc<dyn CrmConnector>> {
        self.connectors.iter().find(|held| held.descriptor().name == on.connector).ok_or_else(|| {
            let names: Vec<&str> = self.connectors.iter().map(|held| held.descriptor().name).collect();
            let message = format!("no connector is called \"{}\"; registered: {}", on.connector, names.join(", "));
            Error::invalid(ErrorCode::InvalidSettings, message)
        })
    }

    pub(super) fn target(&self, on: &Connection, resource: Resource, policy: &Policy) -> Result<Target> {
        let connector = self.connector(on)?;
        let remote_resource = policy.people_destination.filter(|_| resource.is_person()).unwrap_or(resource);
        let capabilities = connector.descriptor().resource(remote_resource).cloned().ok_or_else(|| {
            let message = format!("{} offers no {remote_resource} records", connector.descriptor().title);
            Error::invalid(ErrorCode::Unsupported, message)
        })?;
        let scope = LinkScope::new(on.tenant.clone(), on.id.clone(), resource).to_remote(remote_resource);
        Ok(Target { connector: Arc::clone(connector), capabilities, scope })
    }

    pub(super) async fn both_schemas(&self, on: &Connection, target: &Target) -> Result<(Schema, Arc<Schema>)> {
        let local = with_parents(self.store.records(), target.scope.resource);
        let key = (on.id.clone(), target.scope.remote_resource);
        let now = self.clock.now();
        let cached = self.schemas.lock().ok().and_then(|schemas| schemas.get(&key).cloned());
        let is_fresh = |read_at: DateTime<Utc>| now - read_at < Duration::seconds(SCHEMA_TTL_SECONDS);
        if let Some((_, schema, ahead)) = cached.filter(|(read_at, ..)| is_fresh(*read_at)) {
            ahead.into_iter().for_each(|ahead| on.server_clock.note(ahead));
            return Ok((local, schema));
        }
        let schema = Arc::new(target.connector.describe(on, target.scope.remote_resource).await?);
        if let Ok(mut schemas) = self.schemas.lock() {
            schemas.insert(key, (now, Arc::clone(&schema), on.server_clock.ahead()));
        }
        Ok((local, schema))
    }
}

/// The connector's own mapping, as far as the account goes. A field that only some accounts have (Pipedrive's website and job
/// title, say) is no error of whoever mapped nothing.
pub(super) fn offered(target: &Target, remote: &Schema) -> Mapping {
    let held = |name: &str| remote.field(name).is_some();
    let offered =
        target.capabilities.mapping_of(target.scope.resource).fields.iter().filter(|pair| held(pair.remote.as_str()));
    Mapping::new(offered.cloned().collect())
}

/// The connection's own mapping, or what is offered where it has none.
pub(super) fn compile(
    mapping: Option<&Mapping>,
    target: &Target,
    local: &Schema,
    remote: &Schema,
) -> Result<CompiledMapping> {
    CompiledMapping::compile(
        mapping.unwrap_or(&offered(target, remote)),
        Sides {
            resource: target.scope.resource,
            local,
            remote,
            remote_key: target.capabilities.key_field.filter(|key| remote.field(key).is_some()),
            relations: target.capabilities.relations,
            single_relations: target.capabilities.single_relations,
        },
    )
}

type FilterHere = Option<(Expr, String)>;

/// Decides who evaluates the scope's filter: the CRM where it can, else the engine.
pub(super) fn split_filter(
    request: &RunRequest,
    target: &Target,
    schema: &Schema,
) -> Result<(Option<Expr>, FilterHere)> {
    let (Operation::Import(scope) | Operation::Sync(scope) | Operation::Targeted { scope, .. }) = &request.operation
    else {
        return Ok((None, None));
    };
    match scope {
        Scope::Filter(filter) => {
            let filter = check(filter, schema)?;
            match target.connector.pushdown(target.scope.remote_resource, &filter, schema) {
                Pushdown::Server => Ok((Some(filter), None)),
                Pushdown::Here(why) => Ok((None, Some((filter, why)))),
            }
        }
        Scope::List(_) if !target.capabilities.lists => {
            let message = format!(
                "{} has no lists of {} to import",
                target.connector.descriptor().title,
                target.capabilities.remote_name
            );
            Err(Error::invalid(ErrorCode::Unsupported, message))
        }
        Scope::All | Scope::Ids(_) | Scope::List(_) => Ok((None, None)),
    }
}
