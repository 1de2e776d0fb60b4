//! What differs between databases, and nothing else. SQLite now; PostgreSQL follows.

pub(crate) mod sqlite;
