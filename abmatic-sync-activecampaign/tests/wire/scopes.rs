//! Windows, filters, lists, tags and segments: their parameters, and what of their answers is taken.

use std::time::Duration;

use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{Pushdown, Read, ReadRequest};
use abmatic_sync_core::error::{ErrorCode, ErrorKind};
use abmatic_sync_core::filter::check::check;
use abmatic_sync_core::filter::expr::Expr;
use abmatic_sync_core::filter::parse::parse;
use abmatic_sync_core::ids::FieldName;
use abmatic_sync_core::model::resource::Resource;
use serde_json::{Value as Json, json};
use wiremock::ResponseTemplate;

use crate::account::{Account, company, contact};

fn request(resource: Resource, read: Read) -> ReadRequest {
    ReadRequest::new(resource, read).with_fields([FieldName::from(match resource {
        Resource::Contact => "email",
        Resource::Account => "name",
        _ => "title",
    })])
}

fn page(contacts: &[Json]) -> Json {
    json!({"contacts": contacts, "meta": {"total": contacts.len().to_string()}})
}

async fn filter(account: &Account, resource: Resource, text: &str) -> Expr {
    let schema = account.connector.describe(&account.on, resource).await.unwrap();
    check(&parse(text).unwrap(), &schema).unwrap()
}

#[tokio::test]
async fn a_window_is_asked_for_by_the_day_before_and_cut_here() {
    let account = Account::start().await;
    let mut changed = contact(2, "b@x.test");
    changed["udate"] = "2026-05-29T00:00:00-05:00".into();
    let mut later = contact(3, "c@x.test");
    later["udate"] = "2026-06-01T00:00:01Z".into();
    account.answer("GET", "contacts", 200, page(&[contact(1, "a@x.test"), changed, later])).await;
    let since = "2026-05-29T01:00:00Z".parse().unwrap();
    let read = Read::Changed { since, until: "2026-06-01T00:00:00Z".parse().unwrap(), filter: None };
    let found = account.read(request(Resource::Contact, read)).await;
    assert_eq!(found.records.iter().map(|record| record.id.as_str()).collect::<Vec<_>>(), ["2"]);
    assert_eq!(
        account.queries("contacts").await,
        ["limit=100&filters[updated_after]=2026-05-27&orders[id]=ASC"],
        "26 hours earlier, since nobody says in which zone the day is"
    );
}

#[tokio::test]
async fn conditions_narrow_a_list_and_are_held_against_what_comes() {
    let account = Account::start().await;
    let both = json!({"accounts": [company(1, "Acme Oy"), company(2, "Other")], "meta": {"total": "2"}});
    account.answer("GET", "accounts", 200, both).await;
    let acme = filter(&account, Resource::Account, r#"name = "acme oy""#).await;
    let found = account.read(request(Resource::Account, Read::Filter(acme))).await;
    assert_eq!((found.records.len(), found.total), (1, None), "a search that is not known finds all");
    assert_eq!(account.queries("accounts").await, ["limit=100&search=acme oy&offset=0"]);
    account.answer("GET", "deals", 200, json!({"deals": [], "meta": {"total": 0}})).await;
    let open = filter(&account, Resource::Opportunity, r#"stage = "in contact" AND status = "won" AND title != "x""#);
    account.read(request(Resource::Opportunity, Read::Filter(open.await))).await;
    assert_eq!(
        account.queries("deals").await,
        ["limit=100&filters[stage]=9&filters[status]=1&orders[cdate]=ASC&offset=0"]
    );
    let jane = filter(&account, Resource::Contact, r#"email STARTS WITH "jane""#).await;
    account.answer("GET", "contacts", 200, page(&[contact(1, "not-jane@x.test"), contact(2, "Jane@x.test")])).await;
    let read = Read::Changed {
        since: "2026-05-01T00:00:00Z".parse().unwrap(),
        until: "2026-06-01T00:00:00Z".parse().unwrap(),
        filter: Some(jane),
    };
    let found = account.read(request(Resource::Contact, read)).await;
    assert_eq!(found.records.iter().map(|record| record.id.as_str()).collect::<Vec<_>>(), ["2"]);
    assert_eq!(
        account.queries("contacts").await,
        ["limit=100&email_like=jane&filters[updated_after]=2026-04-29&orders[id]=ASC"]
    );
}

#[tokio::test]
async fn what_the_server_cannot_tell_is_said() {
    let account = Account::start().await;
    for (resource, text, here) in [
        (Resource::Account, r#"name CONTAINS "a""#, None),
        (Resource::Account, r#"industry = "Retail""#, Some("ActiveCampaign filters accounts by their name only")),
        (
            Resource::Contact,
            r#"email = "a@x.test" OR firstName = "A""#,
            Some("ActiveCampaign filters contacts by their email only"),
        ),
    ] {
        let schema = account.connector.describe(&account.on, resource).await.unwrap();
        let filter = filter(&account, resource, text).await;
        let expected = here.map_or(Pushdown::Server, |why| Pushdown::Here(why.to_owned()));
        assert_eq!(account.connector.pushdown(resource, &filter, &schema), expected, "{text}");
    }
}

#[tokio::test]
async fn lists_tags_and_segments_have_a_parameter_each() {
    let account = Account::start().await;
    account.answer("GET", "contacts", 200, page(&[contact(1, "a@x.test")])).await;
    for list in ["7", "list:7", "tag:8", "segment:9"] {
        let found = account.read(request(Resource::Contact, Read::List(list.to_owned()))).await;
        assert_eq!(found.records.len(), 1, "{list}");
    }
    let count = Read::List("tag:8".to_owned());
    assert_eq!(account.connector.count(&account.on, Resource::Contact, &count).await.unwrap(), Some(1));
    assert_eq!(
        account.queries("contacts").await,
        [
            "limit=100&listid=7&status=1&orders[id]=ASC",
            "limit=100&listid=7&status=1&orders[id]=ASC",
            "limit=100&tagid=8&orders[id]=ASC",
            "limit=100&segmentid=9&forceQuery=1&orders[id]=ASC",
            "limit=1&tagid=8",
        ]
    );
    for list in ["friends", "tag:friends", "tag:", "form:3", "tag:8&listid=9", ""] {
        let read = Read::List(list.to_owned());
        let error = account.connector.read(&account.on, request(Resource::Contact, read)).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidSettings, "{list}");
    }
}

#[tokio::test]
async fn a_list_without_members_is_asked_whether_it_is_there() {
    let account = Account::start().await;
    account.answer("GET", "contacts", 200, page(&[])).await;
    account.answer("GET", "lists/7", 200, json!({"list": {"id": "7"}})).await;
    account.answer("GET", "tags/8", 404, json!({"message": "No Result found for Tag with id 8"})).await;
    let members = |list: &str| request(Resource::Contact, Read::List(list.to_owned()));
    assert!(account.read(members("7")).await.records.is_empty());
    let error = account.connector.read(&account.on, members("tag:8")).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Invalid, ErrorCode::InvalidSettings));
    assert!(error.message().contains("\"tag:8\" is not there"), "{error}");
}

#[tokio::test]
async fn a_segment_that_is_being_evaluated_is_waited_for_and_not_for_ever() {
    let account = Account::start().await;
    let evaluating = json!({"segment": {"id": "9", "name": "Mail"}});
    for _ in 0..2 {
        account.once("GET", "contacts", ResponseTemplate::new(200).set_body_json(&evaluating)).await;
    }
    account.answer("GET", "contacts", 200, page(&[contact(1, "a@x.test")])).await;
    let segment = || request(Resource::Contact, Read::List("segment:9".to_owned()));
    assert_eq!(account.read(segment()).await.records.len(), 1);
    assert_eq!(account.clock.waited(), Duration::from_secs(6));
    account.server.reset().await;
    account.answer("GET", "contacts", 200, evaluating).await;
    let error = account.connector.read(&account.on, segment()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("still being evaluated"), "{error}");
}
