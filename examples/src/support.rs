//! What each connector offers, as the README's table: made from their capabilities, not typed.

use abmatic_sync_core::connector::capabilities::{Descriptor, FilterSupport, ResourceCapabilities};
use abmatic_sync_core::model::resource::Resource;

/// A table with a column for each connector.
#[must_use]
pub fn table(connectors: &[&Descriptor]) -> String {
    let mut lines =
        vec![row("", connectors, |one| one.title.to_owned()), format!("|---{}|", "|---".repeat(connectors.len()))];
    for resource in Resource::ALL {
        let name = format!("{resource}").replace("ity", "itie") + "s";
        lines.push(row(&name, connectors, |one| {
            one.resource(resource).map_or_else(|| "–".to_owned(), |offered| offered.remote_name.to_owned())
        }));
    }
    lines.push(row("matched by", connectors, |one| {
        let keys: Vec<&str> = one.resources.iter().filter_map(|offered| offered.key_field).collect();
        let mut shown: Vec<&str> = Vec::new();
        for key in keys {
            if !shown.contains(&key) {
                shown.push(key);
            }
        }
        shown.join(", ")
    }));
    lines.push(row("changes by time", connectors, |one| offering(one, |offered| offered.incremental)));
    lines.push(row("the CRM's lists as scopes", connectors, |one| offering(one, |offered| offered.lists)));
    lines.push(row("tells of deletions", connectors, |one| offering(one, |offered| offered.archived)));
    lines.push(row("webhooks", connectors, |one| offering(one, |offered| offered.webhooks)));
    lines.push(row("filters it evaluates itself", connectors, |one| {
        let support = |wanted| one.resources.iter().any(|offered| offered.filters == wanted);
        if support(FilterSupport::Most) {
            "most"
        } else if support(FilterSupport::Some) {
            "some"
        } else {
            "–"
        }
        .to_owned()
    }));
    lines.push(row("creates by upsert", connectors, |one| offering(one, |offered| offered.upserts)));
    lines.push(row("relations", connectors, |one| offering(one, |offered| !offered.relations.is_empty())));
    lines.push(row("jobs for large pushes", connectors, |one| {
        let has = one.resources.iter().any(|offered| offered.bulk.is_some());
        if has { "yes" } else { "–" }.to_owned()
    }));
    lines.join("\n")
}

fn row(name: &str, connectors: &[&Descriptor], cell: impl Fn(&Descriptor) -> String) -> String {
    let cells: Vec<String> = connectors.iter().map(|one| cell(one)).collect();
    format!("| {name} | {} |", cells.join(" | "))
}

/// Which resources offer something.
fn offering(one: &Descriptor, has: impl Fn(&ResourceCapabilities) -> bool) -> String {
    // Activities are pushed only.
    let read = || one.resources.iter().filter(|offered| offered.resource != Resource::Activity);
    let names: Vec<&str> = read().filter(|offered| has(offered)).map(|offered| offered.remote_name).collect();
    match names.len() {
        0 => "–".to_owned(),
        count if count == read().count() => "all".to_owned(),
        _ => names.join(", "),
    }
}
