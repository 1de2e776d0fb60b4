//! Carries out an ingest job: each line of its file is a record to make, change or delete.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::fake::dice::Dice;
use crate::fake::salesforce::bulk::csv::{Format, write_line};
use crate::fake::salesforce::bulk::job::{Job, Load, Progress, Work};
use crate::fake::salesforce::draft::Origin;
use crate::fake::salesforce::errors::{self, Refusal, RowError};
use crate::fake::salesforce::id;
use crate::fake::salesforce::kind::Kind;
use crate::fake::salesforce::state::State;
use crate::fake::salesforce::turn::Turn;
use crate::fake::salesforce::{save, store, upsert as by_key};

/// How null is written, since an empty cell leaves a field alone.
const NULL: &str = "#N/A";

/// The job's rules, apart from its data.
struct Orders<'a> {
    kind: Kind,
    operation: &'a str,
    external_id: Option<&'a str>,
    header: &'a [String],
}

/// What became of a line: the id, and whether it was made.
type Done = Result<(String, bool), Failed>;

/// A line that failed.
struct Failed {
    id: String,
    error: String,
}

impl Failed {
    fn new(id: Option<&String>, error: &RowError) -> Self {
        Self { id: id.cloned().unwrap_or_default(), error: error.in_bulk() }
    }
}

/// Processes the whole file of a job.
pub(crate) fn carry_out(state: &mut State, turn: &Turn, id: &str) -> Result<(), Refusal> {
    let mut job = state.jobs.find(id, false)?.clone();
    // Neither header acts in bulk jobs.
    let turn = Turn { allow_save: false, by: job.by, auto_assign: false, ..*turn };
    let Work::Load(load) = &mut job.work else { return Err(errors::not_found()) };
    let data = load.data.take().unwrap_or_default();
    let outcome = read_file(&data, job.format)
        .and_then(|(header, lines)| check_header(state, job.kind, &job.operation, &header).map(|()| (header, lines)));
    match outcome {
        Ok((header, mut lines)) => {
            let external_id = load.external_id.clone();
            let left = lines.split_off(lines.len().min(state.settings.bulk_rows_max));
            let orders = Orders {
                kind: job.kind,
                operation: &job.operation,
                external_id: external_id.as_deref(),
                header: &header,
            };
            process(state, &turn, &orders, lines, load, job.format);
            let fails = !left.is_empty();
            for line in left {
                write_line(&mut load.unprocessed, job.format, line.into_iter().map(Cow::from));
            }
            if fails {
                job.error = Some("InternalServerError : a batch was tried too often".to_owned());
            }
            job.move_to(if fails { Progress::Failed } else { Progress::Complete }, turn.now);
        }
        Err(message) => {
            load.data = Some(data);
            job.error = Some(format!("InvalidBatch : {message}"));
            job.move_to(Progress::Failed, turn.now);
            leave_unprocessed(&mut job);
        }
    }
    *state.jobs.find(id, false)? = job;
    Ok(())
}

/// The file of a job that will not be carried out is its unprocessed records.
pub(crate) fn leave_unprocessed(job: &mut Job) {
    if let Work::Load(load) = &mut job.work {
        load.unprocessed = load.data.take().unwrap_or_default();
    }
}

type File = (Vec<String>, Vec<Vec<String>>);

fn read_file(data: &[u8], format: Format) -> Result<File, String> {
    let first_line = data.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if first_line.ends_with(b"\r") != format.crlf && data.contains(&b'\n') {
        let (_, setting) = format.names();
        return Err(format!("LineEnding is invalid on user data. Current LineEnding setting is {setting}"));
    }
    let mut reader = csv::ReaderBuilder::new().delimiter(format.delimiter).from_reader(data);
    let header = reader.headers().map_err(|error| error.to_string())?.iter().map(str::to_owned).collect();
    let mut lines = Vec::new();
    for line in reader.records() {
        let line = line.map_err(|error| format!("Error on line {}: {error}", lines.len() + 2))?;
        lines.push(line.iter().map(str::to_owned).collect());
    }
    Ok((header, lines))
}

fn check_header(state: &State, kind: Kind, operation: &str, header: &[String]) -> Result<(), String> {
    let catalogue = &state.shelf(kind).catalogue;
    let is_known = |name: &&String| match name.split_once('.') {
        Some((relationship, _)) => catalogue.relationship(relationship).is_some(),
        None => catalogue.find(name).is_some(),
    };
    if let Some(unknown) = header.iter().find(|name| !is_known(name)) {
        return Err(format!("Field name not found : {unknown}"));
    }
    let has_id = header.iter().any(|name| name.eq_ignore_ascii_case("Id"));
    if matches!(operation, "update" | "delete" | "hardDelete") && !has_id {
        return Err("Field name not found : Id".to_owned());
    }
    Ok(())
}

fn process(
    state: &mut State,
    turn: &Turn,
    orders: &Orders<'_>,
    lines: Vec<Vec<String>>,
    load: &mut Load,
    format: Format,
) {
    let mut good = Vec::new();
    let mut bad = Vec::new();
    load.processed_count = lines.len() as u64;
    for line in lines {
        let mut out = Vec::new();
        match one(state, turn, orders, &line) {
            Ok((id, created)) => {
                let head = [Cow::from(id), Cow::from(created.to_string())];
                write_line(&mut out, format, head.into_iter().chain(line.into_iter().map(Cow::from)));
                good.push(out);
            }
            Err(failed) => {
                let head = [Cow::from(failed.id), Cow::from(failed.error)];
                write_line(&mut out, format, head.into_iter().chain(line.into_iter().map(Cow::from)));
                bad.push(out);
            }
        }
    }
    load.failed_count = bad.len() as u64;
    let names = || orders.header.iter().map(|name| Cow::from(name.as_str()));
    let mut file = |second: &'static str, lines: Vec<Vec<u8>>| {
        let mut out = Vec::new();
        write_line(&mut out, format, ["sf__Id".into(), second.into()].into_iter().chain(names()));
        out.extend(shuffled(&mut state.dice, lines).concat());
        out
    };
    load.successful = file("sf__Created", good);
    load.failed = file("sf__Error", bad);
    write_line(&mut load.unprocessed, format, names());
}

/// The order of results is not that of the file.
fn shuffled(dice: &mut Dice, mut lines: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    dice.shuffle(&mut lines);
    lines
}

fn one(state: &mut State, turn: &Turn, orders: &Orders<'_>, line: &[String]) -> Done {
    let alone = |error: RowError| Failed::new(None, &error);
    let first = |errors: Vec<RowError>| errors.into_iter().next().unwrap_or_else(errors::cross_reference);
    let id =
        orders.header.iter().zip(line).find(|(name, _)| name.eq_ignore_ascii_case("Id")).map(|(_, id)| id.as_str());
    let fields = cells(orders, line);
    let kind = orders.kind;
    let target = match orders.operation {
        "insert" => None,
        "upsert" => by_external_id(state, orders, line).map_err(alone)?,
        _ => Some(by_id(state, kind, id.unwrap_or_default(), orders.operation).map_err(alone)?),
    };
    let known = target.map(|number| state.shelf(kind).id(number));
    let failed = |errors: Vec<RowError>| Failed::new(known.as_ref(), &first(errors));
    match (orders.operation, target) {
        ("delete", Some(number)) => {
            save::delete(state, turn, kind, number).map_err(failed)?;
            Ok((known.unwrap_or_default(), false))
        }
        ("hardDelete", Some(number)) => {
            store::erase(state, kind, number);
            Ok((known.unwrap_or_default(), false))
        }
        (_, target) => {
            let number = save::save(state, turn, kind, target, Origin::Csv, &fields).map_err(failed)?;
            Ok((state.shelf(kind).id(number), target.is_none()))
        }
    }
}

/// Cells that say something: an empty one leaves its field alone, and the id is no field to write.
fn cells(orders: &Orders<'_>, line: &[String]) -> Map<String, Value> {
    let is_key = |name: &str| name.eq_ignore_ascii_case("Id") && orders.operation != "insert";
    let pairs = orders.header.iter().zip(line);
    let filled = pairs.filter(|(name, cell)| !cell.is_empty() && !is_key(name));
    let value = |cell: &String| if cell == NULL { Value::Null } else { Value::from(cell.as_str()) };
    filled.map(|(name, cell)| (name.clone(), value(cell))).collect()
}

fn by_id(state: &State, kind: Kind, text: &str, operation: &str) -> Result<u64, RowError> {
    let malformed = || {
        let message = format!("{} ID: id value of incorrect type: {text}", kind.facts().label);
        RowError::new("MALFORMED_ID", message).on(&["Id"])
    };
    let parsed = id::parse(text).filter(|parsed| parsed.prefix == kind.prefix()).ok_or_else(malformed)?;
    match state.shelf(kind).get(parsed.number) {
        None => Err(errors::cross_reference()),
        Some(record) if !record.is_live() && operation != "hardDelete" => Err(errors::entity_deleted()),
        Some(_) => Ok(parsed.number),
    }
}

fn by_external_id(state: &State, orders: &Orders<'_>, line: &[String]) -> Result<Option<u64>, RowError> {
    let name = orders.external_id.unwrap_or_default();
    let value = orders.header.iter().zip(line).find(|(column, _)| column.eq_ignore_ascii_case(name));
    let value = value.map(|(_, cell)| cell.trim()).filter(|cell| !cell.is_empty() && *cell != NULL);
    let missing = || RowError::new("MISSING_ARGUMENT", format!("{name} not specified")).on(&[]);
    let value = value.ok_or_else(missing)?;
    let key = state.shelf(orders.kind).catalogue.find(name).ok_or_else(missing)?;
    match by_key::with_key(state, orders.kind, key, value)?.as_slice() {
        [] => Ok(None),
        [number] => Ok(Some(*number)),
        found => {
            let message = format!("{name}: more than one record found for external id field: [{}]", found.len());
            Err(RowError::new("DUPLICATE_EXTERNAL_ID", message).on(&[]))
        }
    }
}
