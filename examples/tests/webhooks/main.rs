//! Webhooks from the door to the host's records: verified as each CRM proves itself, and each change carried out once.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails shall stop, in its helpers too")]

mod crms;
mod site;

use abmatic_sync_core::clock::Clock as _;
use abmatic_sync_core::ids::RemoteId;
use abmatic_sync_core::model::journal::Status;
use abmatic_sync_core::model::resource::Resource::{Account, Contact, Lead, Opportunity};
use abmatic_sync_core::policy::Scope;
use abmatic_sync_core::run::request::RunRequest;
use abmatic_sync_core::store::connections::KeptConnection;
use abmatic_sync_core::store::schedules::ScheduleStore as _;
use abmatic_sync_http::clock::SystemClock;
use abmatic_sync_http::webhook::request::HookRequest;
use abmatic_sync_http::webhook::subscribe::Subscriber;
use abmatic_sync_hubspot::journal::HubspotJournal;
use http::{HeaderMap, Method};
use secrecy::ExposeSecret as _;

use crate::crms::{Active, Crm, Hub, Pipe, Sales};
use crate::site::Site;

/// A change in the CRM, told by a hook, is the host's; what it costs is that one record.
async fn a_change_arrives(crm: impl Crm) {
    let id = crm.create("Old");
    let site = Site::open(&crm).await;
    let target = site.door.target(&site.kept).unwrap();
    let script = async {
        site.first_sync().await;
        assert_eq!(site.names().await, ["Old"]);
        crm.rename(&id, "New");
        let told = SystemClock.now();
        let reply = site.door.receive(&crm.hook(&target, &[&id])).await;
        let answered = SystemClock.now() - told;
        assert_eq!(reply.status, 200);
        site.looked_at(2).await;
        println!("{}: answered after {answered}, carried out after {}", crm.connector(), SystemClock.now() - told);
        assert_eq!(site.names().await, ["New"]);
        let run = site.runs().await.remove(0);
        assert_eq!((run.counts.read, run.counts.updated), (1, 1));
        site.handle.stop();
    };
    tokio::join!(site.run(), script);
}

#[tokio::test]
async fn a_change_in_hubspot_arrives() {
    a_change_arrives(Hub::new().await).await;
}

#[tokio::test]
async fn a_change_in_pipedrive_arrives() {
    a_change_arrives(Pipe::new().await).await;
}

#[tokio::test]
async fn a_change_in_activecampaign_arrives() {
    a_change_arrives(Active::new().await).await;
}

#[tokio::test]
async fn a_change_in_salesforce_arrives() {
    a_change_arrives(Sales::new().await).await;
}

#[tokio::test]
async fn ten_thousand_repeated_and_reordered_hooks_cause_each_change_once() {
    const RECORDS: usize = 100;
    let crm = Hub::new().await;
    let ids: Vec<String> = (0..RECORDS).map(|number| crm.create(&format!("Old {number}"))).collect();
    let site = Site::open(&crm).await;
    let target = site.door.target(&site.kept).unwrap();
    let script = async {
        site.first_sync().await;
        for (number, id) in ids.iter().enumerate() {
            crm.rename(id, &format!("New {number}"));
        }
        let told = SystemClock.now();
        for round in 0..100 {
            let shuffled: Vec<&str> =
                (0..RECORDS).map(|place| ids[(place * 37 + round * 11) % RECORDS].as_str()).collect();
            let reply = site.door.receive(&crm.hook(&target, &shuffled)).await;
            assert_eq!(reply.status, 200);
        }
        site.looked_at(2).await;
        println!("10,000 hooks carried out after {} by {} runs", SystemClock.now() - told, site.runs().await.len() - 1);
        site.handle.stop();
    };
    tokio::join!(site.run(), script);
    assert_eq!(site.log(Status::Updated).await.len(), RECORDS);
    assert_eq!(site.names().await.iter().filter(|name| name.starts_with("New")).count(), RECORDS);
}

/// Nothing is marked by what is not genuine.
async fn refused(site: &Site, request: &HookRequest, status: u16, why: &str) {
    let reply = site.door.receive(request).await;
    assert_eq!(reply.status, status, "{why}");
    assert!(site.store.marks(&site.key, 10).await.unwrap().is_empty(), "{why}");
}

fn moved(request: &HookRequest, target: &str) -> HookRequest {
    HookRequest::new(request.method.clone(), target, request.headers.clone(), request.body.clone())
}

#[tokio::test]
async fn what_hubspot_did_not_sign_is_refused() {
    let crm = Hub::new().await;
    let site = Site::open(&crm).await;
    let target = site.door.target(&site.kept).unwrap();
    let genuine = crm.hook(&target, &["1"]);
    let mut changed = genuine.clone();
    changed.body = changed.body.iter().map(|byte| if *byte == b'1' { b'2' } else { *byte }).collect();
    refused(&site, &changed, 401, "another body").await;
    refused(&site, &moved(&genuine, "/crm/hubspot?x=1"), 401, "another address").await;
    let bare = HookRequest::new(Method::POST, genuine.target.as_str(), HeaderMap::new(), genuine.body.clone());
    refused(&site, &bare, 401, "no signature").await;
    refused(&site, &crm.hook_signed_at(&target, &["1"], -301_000), 401, "too old").await;
    refused(&site, &crm.hook_signed_at(&target, &["1"], 301_000), 401, "from the future").await;
    refused(&site, &crm.hook_of(&target, "not json"), 400, "signed, and not to be read").await;
    let foreign = crm.hook_of(&target, r#"[{"portalId":1,"subscriptionType":"company.creation","objectId":1}]"#);
    refused(&site, &foreign, 200, "an account that nobody has connected need not come again").await;
    assert_eq!(site.door.receive(&genuine).await.status, 200);
    assert_eq!(site.store.marks(&site.key, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn one_event_that_cannot_be_read_does_not_keep_the_others_out() {
    let crm = Hub::new().await;
    let site = Site::open(&crm).await;
    let target = site.door.target(&site.kept).unwrap();
    let mixed = r#"[{"portalId":33,"subscriptionType":"company.creation","objectId":"no number"},{"new":"kind"},
        {"portalId":33,"eventType":"company.merge","subscriptionType":"company.merge","mergedObjectIds":null,"newObjectId":7}]"#;
    assert_eq!(site.door.receive(&crm.hook_of(&target, mixed)).await.status, 200);
    assert_eq!(site.store.marks(&site.key, 10).await.unwrap()[0].id.as_str(), "7");
}

#[tokio::test]
async fn a_contact_that_is_no_lead_becomes_none_by_a_hook() {
    let crm = Hub::new().await;
    let (lead, customer) = (crm.person("lead@acme.com", "lead"), crm.person("customer@acme.com", "customer"));
    let site = Site::open(&crm).await;
    let on = site.connection();
    let targeted = |ids: &[&String]| {
        RunRequest::targeted(Lead, Scope::All, ids.iter().map(|id| RemoteId::from(id.as_str())).collect())
    };
    let report = site.engine.run(&on, &targeted(&[&lead, &customer])).await.unwrap();
    assert_eq!((report.counts.read, report.counts.created), (1, 1));
    // One that became a customer since keeps its counterpart.
    crm.set(&lead, &[("lifecyclestage", "customer"), ("firstname", "Ann")]);
    let report = site.engine.run(&on, &targeted(&[&lead, &customer])).await.unwrap();
    assert_eq!((report.counts.read, report.counts.updated), (1, 1));
}

/// An address is good for its own connection only.
async fn guessed_addresses_are_refused(crm: &impl Crm, site: &Site) {
    let target = site.door.target(&site.kept).unwrap();
    let genuine = crm.hook(&target, &["1"]);
    let (rest, secret) = genuine.target.rsplit_once('/').unwrap();
    let other: String = secret.chars().rev().collect();
    refused(site, &moved(&genuine, &format!("{rest}/{other}")), 401, "a guessed secret").await;
    refused(site, &moved(&genuine, rest), 404, "no secret").await;
    let evil = KeptConnection::new("evil", "evil/main", crm.connector());
    let evil = site.door.target(&evil).unwrap();
    let (rest, _) = evil.url.path().rsplit_once('/').unwrap();
    refused(site, &moved(&genuine, &format!("{rest}/{secret}")), 401, "the secret of another connection").await;
    refused(site, &moved(&genuine, evil.url.path()), 410, "a genuine one of a connection that is no more").await;
    refused(site, &moved(&genuine, &genuine.target.replace("/crm/", "/other/")), 404, "another prefix").await;
    refused(site, &moved(&genuine, "/crm/unknown"), 404, "no such CRM").await;
    refused(site, &moved(&genuine, "/elsewhere"), 404, "not ours").await;
    assert!(!format!("{genuine:?}").contains(secret), "a request is shown without its secrets");
    let mut large = genuine.clone();
    large.body = vec![b' '; 5 * 1024 * 1024].into();
    refused(site, &large, 413, "a flood in one").await;
    let mut garbage = genuine.clone();
    garbage.body = "\u{1}".into();
    refused(site, &garbage, 400, "garbage").await;
}

#[tokio::test]
async fn what_pipedrive_did_not_send_is_refused() {
    let crm = Pipe::new().await;
    let site = Site::open(&crm).await;
    guessed_addresses_are_refused(&crm, &site).await;
    let mut target = site.door.target(&site.kept).unwrap();
    target.password = "guessed".to_owned().into();
    refused(&site, &crm.hook(&target, &["1"]), 401, "a guessed password").await;
    let mut bare = crm.hook(&target, &["1"]);
    bare.headers = HeaderMap::new();
    refused(&site, &bare, 401, "no password").await;
}

#[tokio::test]
async fn what_activecampaign_did_not_send_is_refused() {
    let crm = Active::new().await;
    let site = Site::open(&crm).await;
    guessed_addresses_are_refused(&crm, &site).await;
}

#[tokio::test]
async fn what_is_of_another_organisation_is_refused() {
    let crm = Sales::new().await;
    let site = Site::open(&crm).await;
    guessed_addresses_are_refused(&crm, &site).await;
    let target = site.door.target(&site.kept).unwrap();
    let other = String::from_utf8(crm.hook(&target, &["1"]).body.to_vec()).unwrap().replace("00D5", "00D6");
    refused(&site, &HookRequest::new(Method::POST, target.url.path(), HeaderMap::new(), other), 401, "another").await;
    let entity = "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><x>&e;</x>";
    let entity = HookRequest::new(Method::POST, target.url.path(), HeaderMap::new(), entity);
    refused(&site, &entity, 400, "a document type").await;
}

/// A genuine body, spoilt in some way that repeats: cut, doubled, or with bytes of others in it.
fn spoilt(body: &[u8], dice: &mut u64) -> Vec<u8> {
    let mut roll = |below: usize| {
        *dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(*dice >> 33).unwrap() % below.max(1)
    };
    let mut spoilt = body.to_vec();
    for _ in 0..=roll(4) {
        let (at, to) = (roll(spoilt.len()), roll(spoilt.len()));
        match roll(4) {
            0 => spoilt.truncate(at),
            1 => spoilt.extend_from_within(at.min(to)..at.max(to)),
            2 if !spoilt.is_empty() => spoilt[at] = u8::try_from(roll(256)).unwrap(),
            _ => spoilt.splice(at..at, *b"<&[{\"%\0").for_each(drop),
        }
    }
    spoilt
}

/// Whatever comes to a genuine address is taken in or refused, and the door stays open.
async fn garbage_is_answered(crm: impl Crm, sign: impl Fn(&[u8]) -> Option<HookRequest>) {
    let site = Site::open(&crm).await;
    let genuine = crm.hook(&site.door.target(&site.kept).unwrap(), &["7"]);
    let mut dice = 1;
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..2_000 {
        let body = spoilt(&genuine.body, &mut dice);
        let request = sign(&body)
            .unwrap_or_else(|| HookRequest::new(Method::POST, genuine.target.as_str(), genuine.headers.clone(), body));
        seen.insert(site.door.receive(&request).await.status.as_u16());
    }
    assert!(seen.iter().all(|status| [200, 400, 401].contains(status)), "{seen:?}");
    assert!(seen.contains(&400), "{seen:?}");
    assert_eq!(site.door.receive(&genuine).await.status, 200);
}

#[tokio::test]
async fn garbage_from_hubspot_is_answered() {
    let crm = Hub::new().await;
    let target = Site::open(&crm).await.door.target(&KeptConnection::new("acme", "acme/main", "hubspot")).unwrap();
    let sign = crm.signer(&target);
    garbage_is_answered(crm, move |body| Some(sign(&String::from_utf8_lossy(body)))).await;
}

#[tokio::test]
async fn garbage_from_the_others_is_answered() {
    garbage_is_answered(Pipe::new().await, |_| None).await;
    garbage_is_answered(Active::new().await, |_| None).await;
    garbage_is_answered(Sales::new().await, |_| None).await;
}

/// Asked for twice and taken back, a subscription is made once and removed once; and what the CRM was told is what the door
/// takes.
async fn subscriptions(crm: &impl Crm, connector: &impl Subscriber, made: usize) {
    let site = Site::open(crm).await;
    let target = site.door.target(&site.kept).unwrap();
    let on = site.connection();
    let some = connector.subscribe(&on, &target, &[Account]).await.unwrap();
    assert_eq!(some, 1);
    let more = connector.subscribe(&on, &target, &[Account, Contact, Opportunity]).await.unwrap();
    assert_eq!(more, made - 1 + usize::from(made == 1), "what was lacking");
    assert_eq!(connector.subscribe(&on, &target, &[Account, Contact, Opportunity]).await.unwrap(), 0);
    assert_eq!(connector.unsubscribe(&on, &target).await.unwrap(), made);
    assert_eq!(connector.unsubscribe(&on, &target).await.unwrap(), 0);
    let secrets = [target.password.expose_secret(), target.url.path_segments().unwrap().next_back().unwrap()];
    assert!(secrets.iter().all(|secret| !format!("{target:?}").contains(secret)));
}

#[tokio::test]
async fn pipedrive_is_asked_for_hooks_once() {
    let crm = Pipe::new().await;
    subscriptions(&crm, &abmatic_sync_pipedrive::PipedriveConnector::new(), 3).await;
}

#[tokio::test]
async fn activecampaign_is_asked_for_hooks_once() {
    let crm = Active::new().await;
    subscriptions(&crm, &abmatic_sync_activecampaign::ActiveCampaignConnector::new(), 1).await;
}

/// A host without a public address pulls: edits, deletions, merges and new records arrive, each once.
#[tokio::test]
async fn hubspot_s_journal_is_followed() {
    let crm = Hub::new().await;
    let ids: Vec<String> = ["One", "Two", "Three"].map(|name| crm.create(name)).into();
    let site = Site::open(&crm).await;
    let app = site.app(&crm).await;
    let journal = HubspotJournal::new();
    assert_eq!(journal.subscribe(&app, "33", &[Account, Contact, Lead]).await.unwrap(), 2);
    assert_eq!(journal.subscribe(&app, "33", &[Account, Contact, Lead]).await.unwrap(), 0);
    assert!(journal.subscribe(&app, "none", &[Account]).await.is_err());
    let script = async {
        site.first_sync().await;
        assert_eq!(journal.follow(&app, &site.door, None).await.unwrap(), None, "nothing is new");
        crm.rename(&ids[0], "Uno");
        crm.create("Four");
        let offset = journal.follow(&app, &site.door, None).await.unwrap();
        site.looked_at(2).await;
        assert_eq!(site.names().await, ["Uno", "Two", "Three", "Four"]);
        assert_eq!(journal.follow(&app, &site.door, offset.clone()).await.unwrap(), offset, "it stands where it stood");

        crm.archive(&ids[1]);
        crm.merge(&ids[0], &ids[2]);
        let later = journal.follow(&app, &site.door, offset).await.unwrap();
        site.looked_at(3).await;
        let gone: Vec<String> = site.log(Status::Skipped).await.into_iter().map(|entry| entry.message).collect();
        assert!(gone.iter().any(|message| message.contains("gone")), "{gone:?}");
        assert!(gone.iter().any(|message| message.contains("merged")), "{gone:?}");

        // Nobody looked for longer than it is kept.
        crm.wait_days(4);
        crm.rename(&ids[0], "lost");
        let offset = journal.follow(&app, &site.door, later).await.unwrap();
        assert!(offset.is_some());
        assert_eq!(journal.unsubscribe(&app, "33").await.unwrap(), 2);
        site.handle.stop();
    };
    tokio::join!(site.run(), script);
}
