//! One run: pages in, steps over them, writes out, commits.

pub mod commit;
pub mod context;
pub mod cursors;
pub mod drive;
pub mod intent;
pub mod keyed;
pub mod lease;
pub mod local_id;
pub mod paired;
pub mod pairing;
pub mod parents;
pub mod process;
pub mod quarantine;
pub mod read;
pub mod report;
pub mod request;
pub mod settle;
pub mod write;
