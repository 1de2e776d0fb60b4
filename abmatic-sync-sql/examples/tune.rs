#[path = "tune_page.rs"]
mod page;
use page::{Import, SIZE};
use std::time::Instant;
fn main() {
    let n: u64 = std::env::args().nth(1).unwrap().parse().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let rt = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    rt.block_on(async move {
        let store = abmatic_sync_sql::store::SqliteStore::open(dir.path().join("t.db")).await.unwrap();
        let mut import = Import::begin(store.clone()).await;
        let mut total = 0.0;
        let mut part = 0.0;
        let mut max = 0f64;
        for p in 0..n / SIZE {
            let page = import.page();
            let t = Instant::now();
            import.take(page).await;
            let d = t.elapsed().as_secs_f64();
            total += d;
            part += d;
            max = max.max(d);
            if (p + 1) % (n / SIZE / 5) == 0 {
                println!(
                    "{:>8} records: {:.2} us/record in this fifth, max page {:.1} ms",
                    (p + 1) * SIZE,
                    part / (n as f64 / 5.0) * 1e6,
                    max * 1e3
                );
                part = 0.0;
                max = 0.0;
            }
        }
        let v: Vec<f64> =
            page::T.iter().map(|t| t.load(std::sync::atomic::Ordering::Relaxed) as f64 / 1e3 / n as f64).collect();
        println!("links {:.2} find {:.2} commit {:.2}", v[0], v[1], v[2]);
        println!("all: {:.2} us/record", total / n as f64 * 1e6);
        let s = std::fs::read_to_string("/proc/self/status").unwrap();
        println!("{}", s.lines().find(|l| l.starts_with("VmHWM")).unwrap());
        println!("{:?} MB", std::fs::metadata(dir.path().join("t.db")).unwrap().len() >> 20);
    });
}
