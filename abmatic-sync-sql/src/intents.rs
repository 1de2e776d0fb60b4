//! Creates that were announced and have no outcome yet.

use abmatic_sync_core::error::Result;
use abmatic_sync_core::ids::{IntentId, LocalId};
use abmatic_sync_core::store::state::Intent;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::batch::Batch;
use crate::failure::failed;
use crate::text::{from_json, micros, time, to_json};

static ANNOUNCE: Batch = Batch::new(
    "INSERT OR REPLACE INTO abmatic_intent (scope, id, local_id, announced_at, fields) VALUES ",
    "(?,?,?,?,?)",
    "",
);

static CLOSE: Batch = Batch::new("DELETE FROM abmatic_intent WHERE scope = ? AND id IN (", "?", ")");

pub(crate) async fn announce(connection: &mut SqliteConnection, scope: i64, intents: &[Intent]) -> Result<()> {
    let texts = intents.iter().map(|intent| to_json(&intent.fields)).collect::<Result<Vec<String>>>()?;
    let rows = intents.iter().zip(texts);
    ANNOUNCE
        .execute(
            connection,
            |_| {},
            rows,
            |binds, (intent, fields)| {
                binds.push(scope);
                binds.push(intent.id.as_str());
                binds.push(intent.local_id.as_str());
                binds.push(micros(intent.announced_at));
                binds.push(fields);
            },
        )
        .await
        .map(|_| ())
        .map_err(failed("announce creates"))
}

pub(crate) async fn close(connection: &mut SqliteConnection, scope: i64, intents: &[IntentId]) -> Result<()> {
    CLOSE
        .execute(connection, |binds| binds.push(scope), intents.iter(), |binds, intent| binds.push(intent.as_str()))
        .await
        .map(|_| ())
        .map_err(failed("close intents"))
}

/// Those of a scope, the oldest first.
pub(crate) async fn open(connection: &mut SqliteConnection, scope: i64) -> Result<Vec<Intent>> {
    let rows = sqlx::query(
        "SELECT id, local_id, announced_at, fields FROM abmatic_intent WHERE scope = ?1 ORDER BY announced_at, id",
    )
    .bind(scope)
    .fetch_all(connection)
    .await
    .map_err(failed("read intents"))?;
    rows.iter().map(intent).collect()
}

fn intent(row: &SqliteRow) -> Result<Intent> {
    let read = |error| failed("read an intent")(error);
    let id = IntentId::from(row.try_get::<&str, _>(0).map_err(read)?);
    let local_id = LocalId::from(row.try_get::<&str, _>(1).map_err(read)?);
    let announced_at = time(row.try_get(2).map_err(read)?);
    let fields = from_json("an intent's fields", row.try_get(3).map_err(read)?)?;
    Ok(Intent::new(id, local_id, announced_at, fields))
}
