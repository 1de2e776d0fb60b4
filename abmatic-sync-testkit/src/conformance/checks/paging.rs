//! Reads of all, page by page: none is skipped, whatever happens meanwhile.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{Page, PageCursor, Read, ReadRequest};
use abmatic_sync_core::ids::RemoteId;

use crate::conformance::check::{Check, Judgement, check, ensure, not_applicable};
use crate::conformance::probe::{Probe, eventually};

const SKIPPED: &str = "a record that paging skips is never synced, and nobody is told";

pub(crate) const CHECKS: &[Check] = &[
    check!(
        Read,
        Resource,
        as_many_ids_as_claimed_come_at_once,
        "the engine asks for `find_max` ids at once",
        "split what the CRM takes less of, or claim a lower `find_max`"
    ),
    check!(
        Read,
        Resource,
        every_page_is_read,
        SKIPPED,
        "follow the CRM's cursor to its end, and sort by what is unique where pages are numbered"
    ),
    check!(
        Read,
        Resource,
        a_page_holds_no_more_than_claimed,
        "memory is bounded by `page_max`",
        "claim as `page_max` the page size that is asked for"
    ),
    check!(
        Read,
        Resource,
        no_record_comes_twice_in_peace,
        "each repetition costs a look-up and a merge",
        "begin each page where the one before ended"
    ),
    check!(
        Read,
        Resource,
        a_cursor_gives_its_page_again,
        "a run that was killed goes on from its last cursor",
        "put all that a page depends on into its cursor"
    ),
    check!(
        Read,
        Resource,
        a_cursor_outlives_its_connector,
        "another process resumes the run",
        "keep nothing in memory that a cursor leads to"
    ),
    check!(
        Read,
        Resource,
        edits_while_paging_skip_nothing,
        SKIPPED,
        "do not sort pages by the time of change, or read on from there"
    ),
    check!(
        Read,
        Resource,
        creates_while_paging_skip_nothing,
        SKIPPED,
        "page by a position in an order that new records join at the end"
    ),
    check!(
        Read,
        Resource,
        deletes_while_paging_skip_nothing,
        SKIPPED,
        "page by key and not by offset, or overlap the pages"
    ),
    check!(
        Read,
        Resource,
        a_total_is_what_the_pages_hold,
        "progress is shown by it",
        "take the total of the whole read, not of the page, or leave it out"
    ),
];

/// One page of a read of all, by one of the subject's connectors.
async fn page(probe: Probe<'_>, by: &Arc<dyn CrmConnector>, cursor: Option<PageCursor>) -> Judgement<Page> {
    Ok(by.read(&probe.subject().on, probe.request(Read::All).at(cursor)).await?)
}

fn request(probe: Probe<'_>) -> ReadRequest {
    ReadRequest::new(probe.resource(), Read::All)
}

fn ids_of(page: &Page) -> impl Iterator<Item = RemoteId> {
    page.records.iter().map(|record| record.id.clone())
}

fn none_missing<'i>(expected: impl IntoIterator<Item = &'i RemoteId>, came: &BTreeSet<RemoteId>) -> Judgement {
    let missing: Vec<&RemoteId> = expected.into_iter().filter(|id| !came.contains(*id)).collect();
    ensure!(missing.is_empty(), "{} of the records did not come, such as {}", missing.len(), missing[0]);
    Ok(())
}

async fn every_page_is_read(probe: Probe<'_>) -> Judgement {
    let crowd = probe.crowd().await?;
    eventually!(probe, {
        let records = probe.read_all(Read::All).await?;
        none_missing(crowd, &records.into_iter().map(|record| record.id).collect())
    })
}

async fn a_page_holds_no_more_than_claimed(probe: Probe<'_>) -> Judgement {
    probe.crowd().await?;
    let (mut cursor, most) = (None, probe.offer.capabilities.page_max);
    loop {
        let page = page(probe, &probe.subject().connector, cursor).await?;
        let held = page.records.len();
        ensure!(held <= most, "a page holds {held} records, {most} are claimed");
        cursor = page.next;
        if cursor.is_none() {
            return Ok(());
        }
    }
}

async fn no_record_comes_twice_in_peace(probe: Probe<'_>) -> Judgement {
    probe.crowd().await?;
    let records = probe.read(request(probe)).await?;
    let distinct: BTreeSet<&RemoteId> = records.iter().map(|record| &record.id).collect();
    ensure!(distinct.len() == records.len(), "{} records came for {}", records.len(), distinct.len());
    Ok(())
}

async fn a_cursor_gives_its_page_again(probe: Probe<'_>) -> Judgement {
    probe.crowd().await?;
    same_rest(probe, &probe.subject().connector).await
}

async fn a_cursor_outlives_its_connector(probe: Probe<'_>) -> Judgement {
    let Some(twin) = &probe.subject().twin else { return not_applicable("no second connector is given") };
    probe.crowd().await?;
    same_rest(probe, twin).await
}

/// Reads the first page, and what follows it twice: the second time by `other`.
async fn same_rest(probe: Probe<'_>, other: &Arc<dyn CrmConnector>) -> Judgement {
    let first = page(probe, &probe.subject().connector, None).await?;
    ensure!(first.next.is_some(), "a read of more than a page ends after the first");
    let mut rests = Vec::new();
    for by in [&probe.subject().connector, other] {
        let (mut rest, mut cursor) = (BTreeSet::new(), first.next.clone());
        while cursor.is_some() {
            let page = page(probe, by, cursor).await?;
            rest.extend(ids_of(&page));
            cursor = page.next;
        }
        rests.push(rest);
    }
    ensure!(rests[0] == rests[1], "after the first page come {} records, and again {}", rests[0].len(), rests[1].len());
    Ok(())
}

async fn as_many_ids_as_claimed_come_at_once(probe: Probe<'_>) -> Judgement {
    let crowd = probe.crowd().await?;
    let asked: Vec<RemoteId> = crowd.iter().take(probe.offer.capabilities.find_max).cloned().collect();
    let records = probe.read_all(Read::Ids(asked.clone())).await?;
    let came: BTreeSet<&RemoteId> = records.iter().map(|record| &record.id).collect();
    let missing = asked.iter().filter(|id| !came.contains(id)).count();
    ensure!(missing == 0, "{missing} of {} are missing", asked.len());
    Ok(())
}

/// A read that something happens to after its first page.
struct Begun<'a> {
    crowd: &'a [RemoteId],
    first: Vec<RemoteId>,
    next: Option<PageCursor>,
}

async fn begin(probe: Probe<'_>) -> Judgement<Begun<'_>> {
    let crowd = probe.crowd().await?;
    let page = page(probe, &probe.subject().connector, None).await?;
    Ok(Begun { crowd, first: ids_of(&page).collect(), next: page.next })
}

impl Begun<'_> {
    /// Reads on. Every record of the crowd that is still there has to come.
    async fn finish(self, probe: Probe<'_>, gone: &[RemoteId]) -> Judgement {
        let mut came: BTreeSet<RemoteId> = self.first.into_iter().collect();
        let mut cursor = self.next;
        while cursor.is_some() {
            let page = page(probe, &probe.subject().connector, cursor).await?;
            came.extend(ids_of(&page));
            cursor = page.next;
        }
        none_missing(self.crowd.iter().filter(|id| !gone.contains(id)), &came)
    }
}

async fn edits_while_paging_skip_nothing(probe: Probe<'_>) -> Judgement {
    let text = probe.text_field()?.name.clone();
    let begun = begin(probe).await?;
    // CRMs that tell the time in seconds tell these edits from the creates.
    probe.subject().clock.sleep(Duration::from_secs(2)).await;
    let read = begun.crowd.iter().filter(|id| begun.first.contains(id)).take(2);
    let later = begun.crowd.iter().filter(|id| !begun.first.contains(id)).take(1);
    for id in read.chain(later) {
        probe.set(id, &text, probe.sample().1.into()).await?;
    }
    begun.finish(probe, &[]).await
}

async fn creates_while_paging_skip_nothing(probe: Probe<'_>) -> Judgement {
    let begun = begin(probe).await?;
    probe.make_many(3).await?;
    begun.finish(probe, &[]).await
}

async fn deletes_while_paging_skip_nothing(probe: Probe<'_>) -> Judgement {
    let begun = begin(probe).await?;
    let own = begun.first.iter().filter(|id| probe.stand.is_made(probe.resource(), id));
    let gone: Vec<RemoteId> = own.take(3).cloned().collect();
    if gone.is_empty() {
        return not_applicable("the first page holds no record of the suite's own");
    }
    for id in &gone {
        probe.delete(id).await?;
    }
    begun.finish(probe, &gone).await
}

async fn a_total_is_what_the_pages_hold(probe: Probe<'_>) -> Judgement {
    probe.make().await?;
    let first = page(probe, &probe.subject().connector, None).await?;
    let Some(total) = first.total else { return not_applicable("pages tell no total") };
    let held = probe.read(request(probe)).await?.len();
    ensure!(u64::try_from(held).ok() == Some(total), "the total is {total}, {held} are read");
    Ok(())
}
