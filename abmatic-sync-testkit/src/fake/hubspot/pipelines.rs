//! Pipelines and their stages.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::fake::hubspot::definition::Source;
use crate::fake::hubspot::errors;
use crate::fake::hubspot::kind::Kind;
use crate::fake::hubspot::outcome::{Outcome, Ruling};
use crate::fake::hubspot::state::State;

/// One pipeline.
#[derive(Clone, Debug)]
pub(crate) struct Pipeline {
    pub(crate) id: &'static str,
    pub(crate) label: &'static str,
    pub(crate) stages: Vec<Stage>,
}

/// One stage of a pipeline.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    pub(crate) id: &'static str,
    pub(crate) label: &'static str,
    pub(crate) closed: bool,
    /// As the API says it: a string.
    pub(crate) probability: &'static str,
}

/// The sales pipeline that every account starts with, and a second one with numeric stage ids.
pub(crate) fn defaults() -> BTreeMap<Kind, Vec<Pipeline>> {
    let stage = |id, label, probability| Stage { id, label, closed: matches!(probability, "1.0" | "0.0"), probability };
    let sales = Pipeline {
        id: "default",
        label: "Sales Pipeline",
        stages: vec![
            stage("appointmentscheduled", "Appointment Scheduled", "0.2"),
            stage("qualifiedtobuy", "Qualified To Buy", "0.4"),
            stage("presentationscheduled", "Presentation Scheduled", "0.6"),
            stage("decisionmakerboughtin", "Decision Maker Bought-In", "0.8"),
            stage("contractsent", "Contract Sent", "0.9"),
            stage("closedwon", "Closed Won", "1.0"),
            stage("closedlost", "Closed Lost", "0.0"),
        ],
    };
    let renewals = Pipeline {
        id: "74839201",
        label: "Renewals",
        stages: vec![
            stage("148392011", "Renewal due", "0.5"),
            stage("148392012", "Renewed", "1.0"),
            stage("148392013", "Churned", "0.0"),
        ],
    };
    BTreeMap::from([(Kind::DEALS, vec![sales, renewals])])
}

const SINCE: &str = "1970-01-01T00:00:00Z";

impl Pipeline {
    fn to_json(&self, order: usize) -> Value {
        let stages: Vec<Value> = self.stages.iter().enumerate().map(|(order, stage)| stage.to_json(order)).collect();
        json!({
            "id": self.id, "label": self.label, "displayOrder": order, "archived": false,
            "createdAt": SINCE, "updatedAt": SINCE, "stages": stages,
        })
    }
}

impl Stage {
    fn to_json(&self, order: usize) -> Value {
        json!({
            "id": self.id, "label": self.label, "displayOrder": order, "archived": false,
            "metadata": {"isClosed": self.closed.to_string(), "probability": self.probability},
            "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT", "createdAt": SINCE, "updatedAt": SINCE,
        })
    }
}

fn of(state: &State, kind: Kind) -> &[Pipeline] {
    state.pipelines.get(&kind).map(Vec::as_slice).unwrap_or_default()
}

/// `GET /crm/pipelines/{v}/{type}`.
pub(crate) fn list(state: &State, kind: Kind) -> Ruling {
    let results: Vec<Value> = of(state, kind).iter().enumerate().map(|(order, known)| known.to_json(order)).collect();
    Ok(Outcome::found(&json!({"results": results})))
}

/// `GET /crm/pipelines/{v}/{type}/{id}`, and its `/stages`.
pub(crate) fn read(state: &State, kind: Kind, id: &str, stages_only: bool) -> Ruling {
    let found = of(state, kind).iter().enumerate().find(|(_, known)| known.id == id);
    let mut shown =
        found.map(|(order, known)| known.to_json(order)).ok_or_else(|| errors::nothing_named("Pipeline", id))?;
    if stages_only {
        shown = json!({"results": shown["stages"].take()});
    }
    Ok(Outcome::found(&shown))
}

/// The options of `pipeline` and `dealstage`, which stand in the pipelines.
pub(crate) fn options(state: &State, kind: Kind, source: Source) -> Option<Value> {
    let pipelines = of(state, kind);
    let pairs: Vec<(&str, &str)> = match source {
        Source::Pipeline => pipelines.iter().map(|pipeline| (pipeline.id, pipeline.label)).collect(),
        Source::Stage => {
            pipelines.iter().flat_map(|pipeline| &pipeline.stages).map(|stage| (stage.id, stage.label)).collect()
        }
        Source::Stored | Source::Owner | Source::Id | Source::Created | Source::Modified | Source::Derived(_) => {
            return None;
        }
    };
    let option = |(order, (value, label)): (usize, (&str, &str))| json!({"label": label, "value": value, "description": "", "displayOrder": order, "hidden": false});
    Some(pairs.into_iter().enumerate().map(option).collect())
}
