//! A host that keeps its accounts in a table of its own: it implements `RecordStore` on it, and the engine's links, runs
//! and log live in another database.
//!
//! `cargo run --example own_tables` imports a fake HubSpot's companies into the table `customers`, twice.

use std::sync::Arc;

use abmatic_sync_core::engine::Engine;
use abmatic_sync_core::error::{Error, Result};
use abmatic_sync_core::ids::{LocalId, TenantId};
use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::mapping::{FieldMapping, Mapping, Transform};
use abmatic_sync_core::model::record::{LocalRecord, Version};
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::schema::{Field, FieldType, Schema};
use abmatic_sync_core::model::value::Value;
use abmatic_sync_core::policy::{Policy, Scope};
use abmatic_sync_core::run::request::Settings;
use abmatic_sync_core::steps::normalize::match_key;
use abmatic_sync_core::store::contract::SeparateStores;
use abmatic_sync_core::store::records::{KeyedRecord, LocalOutcome, LocalWrite, RecordStore};
use abmatic_sync_examples::show;
use abmatic_sync_http::clock::{SystemClock, SystemIds};
use abmatic_sync_hubspot::HubspotConnector;
use abmatic_sync_sql::store::SqliteStore;
use abmatic_sync_testkit::fake::hubspot::FakeHubspot;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{AssertSqlSafe, QueryBuilder, Row};

/// The host's table. One tenant, accounts only; a `version` that every write raises is all that the engine asks of it.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS customers (
    id TEXT PRIMARY KEY, company TEXT, site TEXT, staff INTEGER, match_key TEXT,
    version INTEGER NOT NULL UNIQUE, created_ms INTEGER NOT NULL, modified_ms INTEGER NOT NULL, deleted INTEGER NOT NULL)";
const COLUMNS: &str = "id, company, site, staff, match_key, version, created_ms, modified_ms, deleted";

#[derive(Debug)]
struct Customers {
    pool: SqlitePool,
}

impl Customers {
    async fn select(&self, rest: &str, values: &[String]) -> Result<Vec<(Option<String>, LocalRecord)>> {
        let mut query = QueryBuilder::new(format!("SELECT {COLUMNS} FROM customers WHERE {rest}"));
        if rest.ends_with("IN ") {
            query.push("(");
            let mut list = query.separated(", ");
            values.iter().for_each(|value| {
                list.push_bind(value);
            });
            query.push(") ORDER BY created_ms, id");
        }
        let rows = query.build().fetch_all(&self.pool).await.map_err(broken)?;
        rows.iter().map(record_of).collect()
    }

    async fn write(&self, write: &LocalWrite) -> Result<LocalOutcome> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(broken)?;
        let held = sqlx::query(AssertSqlSafe(format!("SELECT {COLUMNS} FROM customers WHERE id = ?1")))
            .bind(write.id.as_str())
            .fetch_optional(&mut *transaction)
            .await
            .map_err(broken)?;
        let held = held.as_ref().map(record_of).transpose()?.map(|(_, record)| record);
        if held.as_ref().map(|record| record.version) != write.expected
            || held.as_ref().is_some_and(|held| held.deleted)
        {
            return Ok(LocalOutcome::Refused);
        }
        let mut fields = held.as_ref().map(|record| record.fields.clone()).unwrap_or_default();
        fields.extend_from(&write.fields);
        let site = text_of(&fields, "website");
        let staff =
            fields.get("employee_count").and_then(|value| if let Value::Integer(n) = value { Some(*n) } else { None });
        let version: i64 = sqlx::query_scalar(
            "INSERT OR REPLACE INTO customers
             (id, company, site, staff, match_key, version, created_ms, modified_ms, deleted)
             VALUES (?1, ?2, ?3, ?4, ?5, (SELECT coalesce(max(version), 0) + 1 FROM customers), ?6, ?7, ?8)
             RETURNING version",
        )
        .bind(write.id.as_str())
        .bind(text_of(&fields, "name"))
        .bind(site.as_deref())
        .bind(staff)
        // A deleted record stays, so that the engine is told of it, but is found no more.
        .bind(site.as_deref().filter(|_| !write.delete).and_then(|site| match_key(Resource::Account, site)))
        .bind(held.map_or(write.at, |record| record.created_at).timestamp_millis())
        .bind(write.at.timestamp_millis())
        .bind(write.delete)
        .fetch_one(&mut *transaction)
        .await
        .map_err(broken)?;
        transaction.commit().await.map_err(broken)?;
        Ok(LocalOutcome::Written(Version::new(version)))
    }
}

#[async_trait]
impl RecordStore for Customers {
    fn schema(&self, _: Resource) -> Schema {
        Schema::new(vec![
            Field::new("name", FieldType::Text),
            Field::new("website", FieldType::Url),
            Field::new("employee_count", FieldType::Integer),
        ])
        .with_key_field("website")
    }

    async fn read(&self, _: &TenantId, _: Resource, ids: &[LocalId]) -> Result<Vec<LocalRecord>> {
        let ids: Vec<String> = ids.iter().map(LocalId::to_string).collect();
        Ok(self.select("id IN ", &ids).await?.into_iter().map(|(_, record)| record).collect())
    }

    async fn find(&self, _: &TenantId, _: Resource, keys: &[String]) -> Result<Vec<KeyedRecord>> {
        let found = self.select("match_key IN ", keys).await?;
        Ok(found.into_iter().filter_map(|(key, record)| Some(KeyedRecord::new(key?, record))).collect())
    }

    async fn changed_since(
        &self,
        _: &TenantId,
        _: Resource,
        after: Option<Version>,
        limit: usize,
    ) -> Result<Vec<LocalRecord>> {
        let after = after.map_or(0, Version::get);
        let rest = format!("version > {after} ORDER BY version LIMIT {limit}");
        Ok(self.select(&rest, &[]).await?.into_iter().map(|(_, record)| record).collect())
    }

    async fn count(&self, _: &TenantId, _: Resource) -> Result<u64> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM customers WHERE NOT deleted")
            .fetch_one(&self.pool)
            .await
            .map_err(broken)?;
        Ok(count.unsigned_abs())
    }

    async fn upsert(&self, _: &TenantId, _: Resource, writes: &[LocalWrite]) -> Result<Vec<LocalOutcome>> {
        let mut outcomes = Vec::with_capacity(writes.len());
        for write in writes {
            outcomes.push(self.write(write).await?);
        }
        Ok(outcomes)
    }
}

fn record_of(row: &SqliteRow) -> Result<(Option<String>, LocalRecord)> {
    let column = |name: &'static str| row.try_get::<Option<String>, _>(name).map_err(broken);
    let time = |name: &'static str| -> Result<DateTime<Utc>> {
        Ok(DateTime::from_timestamp_millis(row.try_get(name).map_err(broken)?).unwrap_or_default())
    };
    let staff: Option<i64> = row.try_get("staff").map_err(broken)?;
    let fields = Fields::from_iter([
        ("name", Value::text(column("company")?.unwrap_or_default())),
        ("website", Value::text(column("site")?.unwrap_or_default())),
        ("employee_count", staff.map_or(Value::Null, Value::Integer)),
    ]);
    let version = Version::new(row.try_get("version").map_err(broken)?);
    let mut record = LocalRecord::new(column("id")?.unwrap_or_default(), fields, version, time("created_ms")?);
    record.modified_at = time("modified_ms")?;
    record.deleted = row.try_get("deleted").map_err(broken)?;
    Ok((column("match_key")?, record))
}

fn text_of(fields: &Fields, name: &str) -> Option<String> {
    fields.get(name).filter(|value| !value.is_blank()).map(ToString::to_string)
}

fn broken(error: sqlx::Error) -> Error {
    Error::store("the table customers failed", error)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let crm = FakeHubspot::builder().seed_records(700).start().await?;
    let pool = SqlitePool::connect("sqlite::memory:").await?;
    sqlx::query(TABLE).execute(&pool).await?;
    let stores =
        SeparateStores::new(Arc::new(Customers { pool: pool.clone() }), Arc::new(SqliteStore::in_memory().await?));
    let engine = Engine::new(Arc::new(stores), Arc::new(SystemClock), Arc::new(SystemIds))
        .with_connector(HubspotConnector::builder().build());
    let connection = Connection::new("acme", "acme/hubspot", "hubspot", Credentials::token(crm.token()))
        .with_base_url(crm.base_url().parse()?);
    let mapping = Mapping::new(vec![
        FieldMapping::new("name", "name"),
        FieldMapping::new("website", "domain").with_transform(Transform::Domain),
        FieldMapping::new("employee_count", "numberofemployees"),
    ]);
    engine.save_settings(&connection, Resource::Account, &Settings::new(mapping, Policy::default())).await?;
    for _ in 0..2 {
        let report = engine.import(&connection, Resource::Account, Scope::All).await?;
        println!("{}", show::counts_line(&report.counts));
    }
    let rows =
        sqlx::query("SELECT company, site, staff FROM customers ORDER BY staff DESC LIMIT 5").fetch_all(&pool).await?;
    for row in rows {
        println!(
            "{:?} {:?} {:?}",
            row.get::<Option<String>, _>(0),
            row.get::<Option<String>, _>(1),
            row.get::<Option<i64>, _>(2)
        );
    }
    Ok(())
}
