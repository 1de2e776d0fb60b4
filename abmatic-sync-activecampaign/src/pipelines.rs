//! The pipelines of deals: their stages by name, their currencies, and where a deal begins.

use std::collections::BTreeMap;

use abmatic_sync_core::error::Result;
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::schema::{ChoiceOption, FieldType};
use serde_json::Value as Json;

use crate::api::Api;
use crate::column::{Column, Spelling};
use crate::describe::all;
use crate::wire::{id, text};

/// A pipeline ("Deal pipelines").
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pipeline {
    pub(crate) id: String,
    pub(crate) currency: Option<String>,
    title: String,
    /// Ids and titles, in their order.
    stages: Vec<(String, String)>,
}

impl Pipeline {
    pub(crate) fn has(&self, stage: &str) -> bool {
        self.stages.iter().any(|(id, _)| id == stage)
    }
}

/// The pipelines of an account, in the order in which it lists them.
pub(crate) async fn pipelines(api: &Api, on: &Connection) -> Result<Vec<Pipeline>> {
    let (groups, beside) = all(api, on, "dealGroups").await?;
    let mut stages: BTreeMap<String, Vec<(u64, String, String)>> = BTreeMap::new();
    for stage in beside.iter().filter_map(|body| body.get("dealStages")?.as_array()).flatten() {
        let (Some(number), Some(group)) = (id(stage, "id"), id(stage, "group")) else { continue };
        let order = stage.get("order").and_then(text).and_then(|order| order.parse().ok()).unwrap_or(u64::MAX);
        let title = stage.get("title").and_then(text).unwrap_or_else(|| number.clone());
        stages.entry(group).or_default().push((order, number, title));
    }
    let pipeline = |group: &Json| {
        let number = id(group, "id")?;
        let mut own = stages.remove(&number).unwrap_or_default();
        own.sort();
        own.dedup();
        Some(Pipeline {
            title: group.get("title").and_then(text).unwrap_or_else(|| number.clone()),
            currency: group.get("currency").and_then(text).map(|currency| currency.to_lowercase()),
            stages: own.into_iter().map(|(_, id, title)| (id, title)).collect(),
            id: number,
        })
    };
    Ok(groups.iter().filter_map(pipeline).collect())
}

/// The field of a deal's stage: by title, with the pipeline's where two stages share one.
pub(crate) fn stage_column(pipelines: &[Pipeline]) -> Column {
    let each = || pipelines.iter().flat_map(|one| one.stages.iter().map(move |(id, title)| (one, id, title)));
    let shown = |(pipeline, id, title): (&Pipeline, &String, &String)| {
        let is_shared = each().filter(|(_, _, other)| *other == title).count() > 1;
        let name = if is_shared { format!("{title} ({})", pipeline.title) } else { title.clone() };
        (id.clone(), name)
    };
    let names: Vec<(String, String)> = each().map(shown).collect();
    let options = names.iter().map(|(_, name)| ChoiceOption::new(name.as_str(), name.as_str())).collect();
    Column { spelling: Spelling::Named(names), options, ..Column::own("stage", "Stage", FieldType::Choice) }
}
