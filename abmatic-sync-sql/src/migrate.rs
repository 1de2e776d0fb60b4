//! Brings a database's tables to this version, one migration after the other, and refuses a database of a later one.

use std::borrow::Cow;

use abmatic_sync_core::error::{Error, Result};
use sqlx::SqlSafeStr;
use sqlx::SqlitePool;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};

/// Each with its number and name. An applied one is never edited: its checksum is kept.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "store", include_str!("../migrations/0001_store.sql")),
    (2, "quarantine", include_str!("../migrations/0002_quarantine.sql")),
    (3, "gone", include_str!("../migrations/0003_gone.sql")),
    (4, "birth", include_str!("../migrations/0004_birth.sql")),
    (5, "connections", include_str!("../migrations/0005_connections.sql")),
];

/// A host's own migrations in the same database keep sqlx's default name.
const TABLE: &str = "abmatic_migrations";

pub(crate) async fn migrate(pool: &SqlitePool) -> Result<()> {
    let migrations = MIGRATIONS
        .iter()
        .map(|&(version, name, sql)| {
            Migration::new(version, Cow::Borrowed(name), MigrationType::Simple, sql.into_sql_str(), false)
        })
        .collect();
    let mut migrator = Migrator::with_migrations(migrations);
    migrator.dangerous_set_table_name(TABLE);
    migrator.run(pool).await.map_err(|error| Error::store(explanation(&error), error))
}

fn explanation(error: &MigrateError) -> String {
    match error {
        MigrateError::VersionMissing(version) => format!(
            "the database was written by a later version of abmatic-sync (it has migration {version}): upgrade this program"
        ),
        MigrateError::VersionMismatch(version) => {
            format!("migration {version} of the database is not the one that this version knows: restore a backup")
        }
        _ => "could not bring the database's tables to this version".to_owned(),
    }
}
