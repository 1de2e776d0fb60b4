//! What a page of 500 new contacts costs: links and keys looked up, then records, links with bases and log committed.
#![allow(missing_docs, reason = "criterion's macro makes a public function")]
#![allow(clippy::unwrap_used, reason = "a bench that fails shall stop")]

mod page;

use abmatic_sync_sql::store::SqliteStore;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

fn commit(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let mut import = runtime.block_on(async {
        let store = SqliteStore::open(directory.path().join("bench.db")).await.unwrap();
        page::Import::begin(store).await
    });
    let mut group = criterion.benchmark_group("page of 500 new contacts");
    group.throughput(Throughput::Elements(page::SIZE));
    let import = std::cell::RefCell::new(&mut import);
    group.bench_function("look up and commit", |bencher| {
        bencher.iter_batched(
            || import.borrow_mut().page(),
            |page| runtime.block_on(import.borrow().take(page)),
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(benches, commit);
criterion_main!(benches);
