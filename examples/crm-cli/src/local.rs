//! The commands that only look at or change the local file.

use std::collections::BTreeSet;
use std::io;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::ids::{LocalId, RunId};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::journal::Status;
use abmatic_sync_core::model::record::LocalRecord;
use abmatic_sync_core::model::schema::FieldType;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_core::steps::coerce::coerce;
use abmatic_sync_core::store::records::RecordStore;
use abmatic_sync_core::store::state::{LogQuery, StateStore};
use abmatic_sync_examples::show;
use abmatic_sync_http::clock::SystemClock;
use abmatic_sync_sql::export::LogFormat;
use abmatic_sync_sql::store::SqliteStore;
use anyhow::{Context, bail};

use crate::args::{EditArgs, LogArgs, RecordsArgs};
use crate::host::open_store;

pub(crate) async fn add(args: EditArgs) -> anyhow::Result<u64> {
    if args.id.is_some() {
        bail!("a new record gets its id here: leave --id out, or use `edit`");
    }
    let store = open_store(&args.store).await?;
    let fields = fields(&store, &args)?;
    let id = store.create(&args.store.tenant.as_str().into(), args.resource, fields, SystemClock.now()).await?.id;
    println!("{}", if args.store.json { serde_json::json!({ "id": id }).to_string() } else { id.to_string() });
    Ok(0)
}

pub(crate) async fn edit(args: EditArgs) -> anyhow::Result<u64> {
    let id = LocalId::from(args.id.as_deref().context("say which record to change: --id")?);
    let store = open_store(&args.store).await?;
    let fields = fields(&store, &args)?;
    store.edit(&args.store.tenant.as_str().into(), args.resource, &id, fields, SystemClock.now()).await?;
    if args.store.json {
        println!("{}", serde_json::json!({ "id": id }));
    }
    Ok(0)
}

pub(crate) async fn records(args: RecordsArgs) -> anyhow::Result<u64> {
    let store = open_store(&args.store).await?;
    let tenant = args.store.tenant.as_str().into();
    let records = store.list(&tenant, args.resource, args.limit, None).await?;
    for record in &records {
        println!("{}", if args.store.json { json_of(record)? } else { line_of(record) });
    }
    let count = store.count(&tenant, args.resource).await?;
    if args.store.json {
        println!("{}", serde_json::json!({ "records": count }));
    } else {
        println!("{} of {count} {} records", records.len(), args.resource);
    }
    Ok(0)
}

pub(crate) async fn log(args: LogArgs) -> anyhow::Result<u64> {
    let store = open_store(&args.store).await?;
    let mut query = LogQuery::new(args.store.tenant.as_str()).with_limit(args.limit);
    query.run = args.run.as_deref().map(RunId::from);
    query.resource = args.resource;
    query.local_id = args.id.as_deref().map(LocalId::from);
    query.status = match &args.status {
        Some(text) => Some(Status::parse(text).context("--status is Created, Deleted, Failed, Skipped or Updated")?),
        None => None,
    };
    let format = match (args.csv, args.store.json) {
        (true, _) => LogFormat::Csv,
        (false, true) => LogFormat::JsonLines,
        (false, false) => {
            println!("{}", show::log_table(&store.log(&query).await?));
            return Ok(0);
        }
    };
    store.export_log(&query, format, io::stdout()).await?;
    Ok(0)
}

/// The fields given on the command line, in the types of the host's schema.
fn fields(store: &SqliteStore, args: &EditArgs) -> anyhow::Result<Fields> {
    let schema = store.schema(args.resource);
    let mut fields = Fields::new();
    for (name, text) in &args.set {
        let relation = args.resource.relations().iter().find(|relation| relation.field == name);
        let value = match (relation, schema.field(name)) {
            (Some(_), _) => Value::Reference(text.split(';').map(str::to_owned).collect::<BTreeSet<_>>()),
            (None, Some(field)) if field.field_type == FieldType::Any => Value::text(text.as_str()),
            (None, Some(field)) => coerce(&Value::text(text.as_str()), field.field_type)
                .with_context(|| format!("\"{name}\" is {}: \"{text}\" is not", field.field_type.as_str()))?,
            (None, None) => {
                let names: Vec<&str> = schema.fields.iter().map(|field| field.name.as_str()).collect();
                bail!("{} records have no field \"{name}\"; they have {}", args.resource, names.join(", "));
            }
        };
        fields.insert(name.as_str(), value);
    }
    Ok(fields)
}

fn json_of(record: &LocalRecord) -> serde_json::Result<String> {
    serde_json::to_string(&serde_json::json!({
        "id": record.id,
        "version": record.version,
        "created_at": record.created_at,
        "modified_at": record.modified_at,
        "fields": record.fields.iter().map(|(name, value)| (name.to_string(), plain(value))).collect::<serde_json::Map<_, _>>(),
    }))
}

/// The value as other programs expect it, without the store's type marks.
fn plain(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Boolean(truth) => (*truth).into(),
        Value::Integer(number) => (*number).into(),
        Value::MultiChoice(set) | Value::Reference(set) => set.iter().cloned().collect(),
        other => other.to_string().into(),
    }
}

fn line_of(record: &LocalRecord) -> String {
    let fields: Vec<String> = record
        .fields
        .iter()
        .filter(|(_, value)| !value.is_blank())
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    format!("{}  {}", record.id, fields.join("  "))
}
