//! Pipedrive's OpenAPI documents: which operations there are, and what each takes and answers.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::Path;

use jsonschema::{Draft, Validator};
use serde_json::{Value, json};

use crate::schema::{json_schema, undeclared};

/// A schema, made ready when it is first needed.
#[derive(Debug)]
pub(crate) struct Schema {
    openapi: Value,
    validator: OnceCell<Validator>,
}

impl Schema {
    fn new(openapi: &Value) -> Self {
        Self { openapi: openapi.clone(), validator: OnceCell::new() }
    }

    /// The places of members that it does not declare.
    pub(crate) fn undeclared(&self, value: &Value) -> Vec<String> {
        undeclared(&self.openapi, value)
    }

    pub(crate) fn validator(&self) -> &Validator {
        self.validator.get_or_init(|| {
            let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
            options.build(&json_schema(&self.openapi)).unwrap()
        })
    }

    /// The type that it names, if it names one.
    pub(crate) fn kind(&self) -> &str {
        self.openapi["type"].as_str().unwrap_or_default()
    }
}

/// A parameter of a path or a query.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) is_required: bool,
    pub(crate) schema: Schema,
}

/// A method on a path.
#[derive(Debug)]
pub(crate) struct Operation {
    /// The method and the path as the API has it, for example `GET /api/v2/persons/{id}`.
    pub(crate) name: String,
    segments: Vec<String>,
    pub(crate) path: Vec<Parameter>,
    pub(crate) query: Vec<Parameter>,
    /// What may be sent, by its content type.
    pub(crate) bodies: BTreeMap<String, Schema>,
    /// What may be answered, by status; `None` where the document shows no JSON.
    pub(crate) answers: BTreeMap<u16, Option<Schema>>,
    /// Tokens that it costs.
    pub(crate) cost: u64,
}

impl Operation {
    fn new(prefix: &str, path: &str, method: &str, told: &Value) -> Self {
        let own_host = told["servers"].is_array();
        let path = format!("{}{path}", if own_host { "" } else { prefix });
        let parameters = |place: &str| {
            let all = told["parameters"].as_array().into_iter().flatten().filter(|one| one["in"] == place);
            all.map(parameter).collect::<Vec<_>>()
        };
        let (path_parameters, query) = (parameters("path"), parameters("query"));
        Self {
            name: format!("{} {path}", method.to_ascii_uppercase()),
            segments: path.split('/').map(str::to_owned).collect(),
            path: path_parameters,
            query,
            bodies: members(&told["requestBody"]["content"])
                .map(|(kind, it)| (kind, Schema::new(&it["schema"])))
                .collect(),
            answers: members(&told["responses"])
                .filter_map(|(status, it)| Some((status.parse().ok()?, answer(it))))
                .collect(),
            cost: told["x-token-cost"].as_u64().unwrap_or_default(),
        }
    }

    pub(crate) fn method(&self) -> &str {
        self.name.split(' ').next().unwrap_or_default()
    }

    /// What the path's parameters are, if it is one of this operation's.
    pub(crate) fn parts<'a>(&'a self, path: &'a str) -> Option<Vec<(&'a str, &'a str)>> {
        let given: Vec<&str> = path.split('/').collect();
        if given.len() != self.segments.len() {
            return None;
        }
        let mut parts = Vec::new();
        for (wanted, given) in self.segments.iter().zip(given) {
            match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) => parts.push((name, given)),
                None if wanted == given => {}
                None => return None,
            }
        }
        Some(parts)
    }

    /// A path that is this operation's, with `part` for each parameter.
    pub(crate) fn path_with(&self, part: impl Fn(&str) -> String) -> String {
        let segments = self.segments.iter().map(|segment| match segment.strip_prefix('{') {
            Some(name) => part(name.trim_end_matches('}')),
            None => segment.clone(),
        });
        segments.collect::<Vec<_>>().join("/")
    }
}

fn parameter(told: &Value) -> Parameter {
    Parameter {
        name: told["name"].as_str().unwrap_or_default().to_owned(),
        is_required: told["required"] == true,
        schema: Schema::new(&told["schema"]),
    }
}

fn answer(told: &Value) -> Option<Schema> {
    let schema = told["content"]["application/json"].get("schema")?;
    Some(Schema::new(schema))
}

fn members(value: &Value) -> impl Iterator<Item = (String, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, member)| (name.clone(), member))
}

/// Both documents.
#[derive(Debug)]
pub(crate) struct Documents {
    pub(crate) operations: Vec<Operation>,
}

impl Documents {
    /// Reads them. What cannot be read is an error with its reason.
    pub(crate) fn read(folder: &Path) -> Result<Self, String> {
        let mut operations = Vec::new();
        for (file, prefix) in [("openapi-v1.yaml", "/api/v1"), ("openapi-v2.yaml", "/api/v2")] {
            let path = folder.join(file);
            let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            let document: Value =
                serde_yaml_ng::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
            for (path, methods) in members(&document["paths"]) {
                operations.extend(members(methods).map(|(method, told)| Operation::new(prefix, &path, &method, told)));
            }
        }
        // Words before parameters: `/deals/archived` is no `/deals/{id}`.
        operations.sort_by_key(|operation| operation.segments.iter().filter(|one| one.starts_with('{')).count());
        Ok(Self { operations })
    }

    /// The operation that a method and a path call.
    pub(crate) fn operation(&self, method: &str, path: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.method() == method && operation.parts(path).is_some())
    }
}

/// A text as the JSON that a parameter of that type is.
pub(crate) fn typed(kind: &str, text: &str) -> Value {
    match kind {
        "integer" => text.parse::<i64>().map_or_else(|_| json!(text), Value::from),
        "number" => text.parse::<f64>().map_or_else(|_| json!(text), Value::from),
        "boolean" => text.parse::<bool>().map_or_else(|_| json!(text), Value::from),
        _ => json!(text),
    }
}
