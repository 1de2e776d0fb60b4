//! Whatever is created, edited, deleted, restored and merged on either side: it settles, and nothing is made twice.

use abmatic_sync_core::ids::{LocalId, RemoteId};
use abmatic_sync_core::model::link::{Link, LinkScope};
use abmatic_sync_core::model::resource::Resource::Account;
use abmatic_sync_core::policy::{GoneRule, Policy};
use abmatic_sync_core::store::state::{LinkEnds, StateStore};

use crate::support::{Host, fields, text};

/// Chance that can be had again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % count as u64) as usize
    }
}

/// What was made by people, on either side.
#[derive(Default)]
struct Made {
    local: Vec<LocalId>,
    remote: Vec<RemoteId>,
}

async fn act(host: &Host, dice: &mut Dice, made: &mut Made, number: usize) {
    host.tick();
    let name = format!("name {number}");
    let named = fields([("name", &name)]);
    let links = links(host).await;
    match dice.below(10) {
        0 => made.local.push(host.create(Account, named).await),
        1 => made.remote.push(host.crm.create(Account, named)),
        choice if !links.is_empty() => {
            let link = &links[dice.below(links.len())];
            let local_deleted = host.local(Account, &link.local_id).await.deleted;
            let remote_deleted = host.crm.record(Account, &link.remote_id).is_none_or(|record| record.deleted);
            match choice {
                2 | 3 if !local_deleted => host.edit(Account, &link.local_id, named).await,
                4 | 5 if !remote_deleted => host.crm.edit(Account, &link.remote_id, &named),
                6 if !local_deleted => host.delete(Account, &link.local_id).await,
                6 => host.restore(Account, &link.local_id).await,
                7 if !remote_deleted => host.crm.delete(Account, &link.remote_id),
                7 => host.crm.restore(Account, &link.remote_id),
                8 => {
                    let live = host.crm.records(Account);
                    let other = live.iter().map(|record| &record.id).find(|id| **id != link.remote_id);
                    if let (Some(other), false) = (other, remote_deleted) {
                        host.crm.merge(Account, other, &link.remote_id);
                    }
                }
                _ => drop(host.sync(Account).await),
            }
        }
        _ => {}
    }
}

async fn links(host: &Host) -> Vec<Link> {
    let scope = LinkScope::new(host.tenant.clone(), host.connection.id.clone(), Account);
    host.store.links(&scope, &LinkEnds::All { after: None, limit: 1_000 }).await.unwrap()
}

#[tokio::test]
async fn it_settles_and_nothing_is_made_twice() {
    for seed in 0..8 {
        for rule in [GoneRule::Report, GoneRule::Unlink, GoneRule::Propagate] {
            let host =
                Host::over(|crm| if seed % 2 == 0 { crm.telling_deletions() } else { crm.with_clock_ahead(90) }).await;
            host.set_policy(Account, Policy::default().with_gone(rule)).await;
            let (mut dice, mut made) = (Dice(seed), Made::default());
            let mut created = 0;
            for number in 0..40 {
                act(&host, &mut dice, &mut made, number).await;
                if dice.below(4) == 0 {
                    created += host.sync(Account).await.counts.created;
                }
            }
            for _ in 0..2 {
                created += host.sync(Account).await.counts.created + host.sweep(Account).await.counts.created;
            }
            let written = host.crm.writes();
            let last = host.sync(Account).await;
            let idle = (last.counts.created, last.counts.updated, last.counts.deleted, last.counts.failed);
            assert_eq!((idle, host.crm.writes()), ((0, 0, 0, 0), written), "seed {seed} {rule:?}");
            assert!(created <= (made.local.len() + made.remote.len()) as u64, "seed {seed} {rule:?}");
            for link in links(&host).await.into_iter().filter(|link| link.gone.is_none()) {
                let local = host.local(Account, &link.local_id).await;
                let remote = host.crm.record(Account, &link.remote_id).unwrap();
                assert!(!local.deleted && !remote.deleted, "seed {seed} {rule:?}");
                assert_eq!(text(&local.fields, "name"), text(&remote.fields, "name"), "seed {seed} {rule:?}");
            }
        }
    }
}
