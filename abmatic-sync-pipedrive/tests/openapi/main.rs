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

use abmatic_sync_testkit::fake::recording::Exchange;

use crate::document::Documents;
use crate::judge::{Counts, Judge, Party};
use crate::mistakes::MISTAKES;

/// Says something that shows although the test passes.
fn say(text: &str) {
    io::stderr().write_all(format!("{text}\n").as_bytes()).unwrap();
}

/// The folder of the documents, if there is one.
fn folder() -> Option<PathBuf> {
    let folder = PathBuf::from(env::var_os("PIPEDRIVE_OPENAPI_DIR")?);
    folder.is_dir().then_some(folder)
}

#[tokio::test]
async fn the_documents_of_pipedrive_agree() {
    let Some(folder) = folder() else {
        say("SKIPPED: PIPEDRIVE_OPENAPI_DIR names no folder with Pipedrive's OpenAPI documents: nothing was judged");
        return;
    };
    let documents = Documents::read(&folder).unwrap_or_else(|error| panic!("the documents cannot be read: {error}"));
    let mut judge = Judge::new(&documents);
    let exchanges = drive::connector().await;
    let connector = judge.hear(&exchanges, Party::Connector);
    finds_what_is_wrong(&documents, &exchanges);
    let served = desk::served(&documents);
    let beside = judge.hear(&desk::everything(), Party::Desk);

    say(&format!("Pipedrive's OpenAPI documents have {} operations.", documents.operations.len()));
    show("The connector", &connector);
    show("Plain calls", &beside);
    let exercised = |name: &&String| connector.succeeded.contains(*name) || beside.succeeded.contains(*name);
    let unheard: Vec<&String> = served.iter().filter(|name| !exercised(name)).collect();
    say(&format!(
        "The fake serves {} of them: {} answered with success and were validated.",
        served.len(),
        served.len() - unheard.len()
    ));
    let unmet = judge.unmet();
    say(&format!(
        "Known mistakes of the documents: {}; {} of their patterns were not met.",
        MISTAKES.len(),
        unmet.len()
    ));
    let verdict = judge.verdict();
    assert!(verdict.is_empty(), "{} findings:\n{}", verdict.len(), verdict.join("\n"));
    assert!(unmet.is_empty(), "excuses that nothing needs:\n{}", unmet.join("\n"));
    assert!(unheard.is_empty(), "served, and not judged: {unheard:?}");
}

/// A judge that finds nothing may be asleep: exchanges that somebody has spoilt.
fn finds_what_is_wrong(documents: &Documents, exchanges: &[Exchange]) {
    let sound = exchanges.iter().find(|one| one.route == "POST /api/v2/deals" && one.status == 200).unwrap();
    type Spoil = fn(&mut Exchange);
    let spoil: [(&str, Spoil); 6] = [
        ("path: there", |one| one.path = "/api/v2/deal".to_owned()),
        ("query nope undeclared", |one| one.query.push(("nope".to_owned(), "1".to_owned()))),
        ("body/title: 5 is not", |one| one.request_body["title"] = 5.into()),
        ("body/nope undeclared", |one| one.request_body["nope"] = 5.into()),
        ("answer 200 /data/id: \"1\" is not", |one| one.response_body["data"]["id"] = "1".into()),
        ("status 418: it is not", |one| one.status = 418),
    ];
    for (wanted, spoil) in spoil {
        let mut spoilt = sound.clone();
        spoil(&mut spoilt);
        let mut judge = Judge::new(documents);
        judge.hear(&[spoilt], Party::Connector);
        let verdict = judge.verdict();
        assert!(verdict.iter().any(|finding| finding.contains(wanted)), "{wanted}: {verdict:?}");
    }
}

fn show(who: &str, counts: &Counts) {
    let [validated, shapeless, undeclared] = counts.answers;
    let (all, succeeded) = (&counts.operations, &counts.succeeded);
    say(&format!(
        "{who}: {} operations, {} of them with a validated answer of success; {} requests validated; {validated} answers \
         validated by their schema, {shapeless} have a declared status without one, {undeclared} a status that is not declared.",
        all.len(),
        succeeded.len(),
        counts.requests,
    ));
    let rest: Vec<&str> = all.difference(succeeded).map(String::as_str).collect();
    say(&format!("  Without a validated answer of success: {}.", rest.join(", ")));
}
