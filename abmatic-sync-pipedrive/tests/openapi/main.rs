//! Pipedrive's own OpenAPI documents judge the connector and the fake: what one sends and the other answers is held against
//! them.
//!
//! The documents are not part of the project: `PIPEDRIVE_OPENAPI_DIR` names the folder in which `openapi-v1.yaml` and
//! `openapi-v2.yaml` lie. Where it is not set, or there is no such folder, nothing is judged, and the test says so.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails shall stop, in its helpers too")]

mod desk;
mod document;
mod drive;
mod judge;
mod mistakes;
mod schema;
#[path = "../world/mod.rs"]
mod world;

use std::env;
use std::io::{self, Write as _};
use std::path::PathBuf;

use crate::document::Documents;
use crate::judge::{Counts, Judge, Party};
use crate::mistakes::MISTAKES;

/// Says something that shows although the test passes.
macro_rules! say {
    ($($what:tt)*) => { writeln!(io::stderr(), $($what)*).unwrap() };
}

/// The folder of the documents, if there is one.
fn folder() -> Option<PathBuf> {
    let folder = PathBuf::from(env::var_os("PIPEDRIVE_OPENAPI_DIR")?);
    folder.is_dir().then_some(folder)
}

#[tokio::test]
async fn the_documents_of_pipedrive_agree() {
    let Some(folder) = folder() else {
        say!("SKIPPED: PIPEDRIVE_OPENAPI_DIR names no folder with Pipedrive's OpenAPI documents");
        return;
    };
    let documents = Documents::read(&folder).unwrap_or_else(|error| panic!("the documents cannot be read: {error}"));
    let mut judge = Judge::new(&documents);
    let connector = judge.hear(&drive::connector().await, Party::Connector);
    let served = desk::served(&documents);
    let beside = judge.hear(&desk::everything(), Party::Desk);

    say!("Pipedrive's OpenAPI documents have {} operations.", documents.operations.len());
    show("The connector", &connector);
    show("Plain calls", &beside);
    let exercised = |name: &&String| connector.succeeded.contains(*name) || beside.succeeded.contains(*name);
    let unheard: Vec<&String> = served.iter().filter(|name| !exercised(name)).collect();
    say!(
        "The fake serves {} of them: {} answered with success and were validated.",
        served.len(),
        served.len() - unheard.len()
    );
    let met = judge.met.iter().filter(|times| **times > 0).count();
    say!("Known mistakes of the documents: {}, of which {met} were met.", MISTAKES.len());

    let unmet = MISTAKES.iter().zip(&judge.met).filter(|(_, times)| **times == 0);
    let unmet: Vec<String> =
        unmet.map(|(known, _)| format!("{}: {}: {}", known.operation, known.place, known.reason)).collect();
    let verdict = judge.verdict();
    assert!(verdict.is_empty(), "{} findings:\n{}", verdict.len(), verdict.join("\n"));
    assert!(unmet.is_empty(), "excuses that nothing needs:\n{}", unmet.join("\n"));
    assert!(unheard.is_empty(), "served, and not judged: {unheard:?}");
}

fn show(who: &str, counts: &Counts) {
    let [validated, shapeless, undeclared] = counts.answers;
    say!(
        "{who}: {} operations, {} of them with a validated answer of success; {} requests, {validated} answers by their schema, \
         {shapeless} of a declared status without one, {undeclared} undeclared.",
        counts.operations.len(),
        counts.succeeded.len(),
        counts.requests,
    );
}
