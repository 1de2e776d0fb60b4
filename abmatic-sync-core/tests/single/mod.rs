//! A deal with several contacts here, in a CRM whose deals have one: nobody here loses the others.

use abmatic_sync_core::ids::{LocalId, RemoteId};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::resource::Resource::{Contact, Opportunity};
use abmatic_sync_core::model::value::Value;
use abmatic_sync_core::policy::{BlankRule, DuplicateHandling, Policy};

use crate::support::{Host, fields};

struct Deal {
    host: Host,
    contacts: [LocalId; 3],
    id: LocalId,
    there: RemoteId,
}

impl Deal {
    /// Three linked contacts, and a deal with two of them that was synced into the CRM.
    async fn new() -> Self {
        let host = Host::over(|crm| crm.with_one_contact()).await;
        let mut contacts = Vec::new();
        for name in ["ann", "bob", "cyd"] {
            contacts.push(host.create(Contact, fields([("work_email", &format!("{name}@acme.com"))])).await);
        }
        host.sync(Contact).await;
        let contacts: [LocalId; 3] = contacts.try_into().unwrap();
        let mut deal = fields([("name", "Big")]);
        deal.insert("contacts", of(&[&contacts[0], &contacts[1]]));
        let id = host.create(Opportunity, deal).await;
        host.sync(Opportunity).await;
        let there = host.crm.records(Opportunity)[0].id.clone();
        Self { host, contacts, id, there }
    }

    /// The contact in the CRM that stands for the one at that place here.
    async fn counterpart(&self, place: usize) -> RemoteId {
        let email = format!("{}@acme.com", ["ann", "bob", "cyd"][place]);
        let all = self.host.crm.records(Contact);
        all.iter().find(|one| one.fields.get("email").and_then(Value::as_text) == Some(&email)).unwrap().id.clone()
    }

    /// Which of the contacts the deal has here.
    async fn here(&self) -> Vec<usize> {
        let deal = self.host.local(Opportunity, &self.id).await;
        let held = deal.fields.get("contacts").cloned().unwrap_or_default();
        (0..3).filter(|place| held.ids().any(|id| id == self.contacts[*place].as_str())).collect()
    }

    /// Which of them it has there.
    async fn there(&self) -> Vec<usize> {
        let deal = &self.host.crm.records(Opportunity)[0];
        let held = deal.fields.get("contacts").cloned().unwrap_or_default();
        let mut places = Vec::new();
        for place in 0..3 {
            let id = self.counterpart(place).await;
            if held.ids().any(|held| held == id.as_str()) {
                places.push(place);
            }
        }
        places
    }

    async fn set_there(&self, place: Option<usize>) {
        let value = match place {
            Some(place) => Value::reference(self.counterpart(place).await.as_str()),
            None => Value::Null,
        };
        self.host.tick();
        let mut change = Fields::new();
        change.insert("contacts", value);
        self.host.crm.edit(Opportunity, &self.there, &change);
    }

    async fn set_here(&self, places: &[usize]) {
        let ids: Vec<&LocalId> = places.iter().map(|place| &self.contacts[*place]).collect();
        let mut change = Fields::new();
        change.insert("contacts", of(&ids));
        self.host.tick();
        self.host.edit(Opportunity, &self.id, change).await;
    }

    /// One more sync has nothing to do.
    async fn is_quiet(&self) -> bool {
        let counts = self.host.sync(Opportunity).await.counts;
        (counts.created, counts.updated, counts.failed) == (0, 0, 0)
    }
}

fn of(ids: &[&LocalId]) -> Value {
    Value::Reference(ids.iter().map(|id| id.to_string()).collect())
}

/// Which contact the CRM got: the first in the order of the CRM's ids.
async fn kept(deal: &Deal) -> usize {
    let there = deal.there().await;
    assert_eq!(there.len(), 1, "the CRM has room for one");
    there[0]
}

#[tokio::test]
async fn an_edit_of_another_field_there_takes_nobody_away() {
    let deal = Deal::new().await;
    assert!(deal.is_quiet().await);
    deal.host.tick();
    deal.host.crm.edit(Opportunity, &deal.there, &fields([("title", "Bigger")]));
    deal.host.sync(Opportunity).await;
    assert_eq!(deal.here().await, [0, 1]);
    assert!(deal.is_quiet().await);
}

#[tokio::test]
async fn another_one_there_takes_the_place_of_the_one_that_was_there() {
    let deal = Deal::new().await;
    let was = kept(&deal).await;
    deal.set_there(Some(2)).await;
    deal.host.sync(Opportunity).await;
    assert_eq!(deal.here().await, [1 - was, 2]);
    assert_eq!(deal.there().await, [2]);
    assert!(deal.is_quiet().await);
}

#[tokio::test]
async fn one_of_the_others_may_become_the_one_there() {
    let deal = Deal::new().await;
    let was = kept(&deal).await;
    deal.set_there(Some(1 - was)).await;
    deal.host.sync(Opportunity).await;
    assert_eq!(deal.here().await, [1 - was], "the one that was there was taken away by somebody");
    assert!(deal.is_quiet().await);
}

#[tokio::test]
async fn none_there_takes_nobody_away_here() {
    let deal = Deal::new().await;
    deal.set_there(None).await;
    deal.host.sync(Opportunity).await;
    assert_eq!((deal.here().await, deal.there().await), (vec![0, 1], vec![]));
    assert!(deal.is_quiet().await);
}

#[tokio::test]
async fn none_there_takes_one_away_where_clears_travel() {
    let deal = Deal::new().await;
    let was = kept(&deal).await;
    deal.host.set_policy(Opportunity, Policy::default().with_blank(BlankRule::Clear)).await;
    deal.set_there(None).await;
    deal.host.sync(Opportunity).await;
    assert_eq!((deal.here().await, deal.there().await), (vec![1 - was], vec![]));
    assert!(deal.is_quiet().await);
}

#[tokio::test]
async fn the_one_there_stays_while_it_is_among_those_here() {
    let deal = Deal::new().await;
    let was = kept(&deal).await;
    deal.set_here(&[0, 1, 2]).await;
    let writes = deal.host.crm.writes();
    deal.host.sync(Opportunity).await;
    assert_eq!((kept(&deal).await, deal.host.crm.writes()), (was, writes), "there is nothing to write");
    assert!(deal.is_quiet().await);
    deal.set_here(&[1 - was, 2]).await;
    deal.host.sync(Opportunity).await;
    assert_ne!(kept(&deal).await, was);
    assert_eq!(deal.here().await, [1 - was, 2]);
    assert!(deal.is_quiet().await);
}

#[tokio::test]
async fn an_import_that_overwrites_takes_away_only_the_one_that_was_there() {
    let deal = Deal::new().await;
    let was = kept(&deal).await;
    deal.host.set_policy(Opportunity, Policy::default().with_duplicates(DuplicateHandling::OverwriteAll)).await;
    deal.set_there(Some(2)).await;
    deal.host.import(Opportunity).await;
    assert_eq!(deal.here().await, [1 - was, 2]);
    assert!(deal.is_quiet().await);
}

#[tokio::test]
async fn an_import_that_overwrites_leaves_those_that_were_added_here() {
    let deal = Deal::new().await;
    deal.host.set_policy(Opportunity, Policy::default().with_duplicates(DuplicateHandling::OverwriteAll)).await;
    deal.set_here(&[0, 1, 2]).await;
    deal.host.import(Opportunity).await;
    assert_eq!(deal.here().await, [0, 1, 2]);
    assert!(deal.host.sync(Opportunity).await.counts.failed == 0 && deal.is_quiet().await);
}
