//! What the checks came to: a table for people, JSON for programs, and a test's end.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use abmatic_sync_core::model::resource::Resource;
use serde::Serialize;

use crate::conformance::check::{Area, Check};

/// What a check came to.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "verdict", content = "detail")]
pub enum Verdict {
    /// The connector does not do it, and this is what it does.
    Failed(String),
    /// The connector does not claim it, or the subject has nothing to check it on.
    NotApplicable(String),
    /// It does.
    Passed,
}

impl Verdict {
    /// Whether the connector does what it should.
    pub fn is_passed(&self) -> bool {
        matches!(self, Self::Passed)
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Failed(_) => "FAILED",
            Self::NotApplicable(_) => "n.a.",
            Self::Passed => "pass",
        }
    }
}

/// One check of one resource.
#[non_exhaustive]
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The check's name.
    pub check: &'static str,
    /// The part of the contract.
    pub area: Area,
    /// Which resource, `None` for what is checked once.
    pub resource: Option<Resource>,
    /// What it came to.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// What goes wrong for hosts where it fails.
    pub reason: &'static str,
    /// What a connector's author does about it.
    pub remedy: &'static str,
}

impl Row {
    pub(crate) fn new(check: &Check, resource: Option<Resource>, verdict: Verdict) -> Self {
        let Check { name, area, reason, remedy, .. } = *check;
        Self { check: name, area, resource, verdict, reason, remedy }
    }
}

/// What a connector's checks came to. It shows as a table, a line a check and a column a resource.
#[non_exhaustive]
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The CRM's name.
    pub connector: String,
    /// Every check of every resource.
    pub rows: Vec<Row>,
    /// Records that the suite made and could not delete.
    pub left_behind: usize,
}

impl Report {
    pub(crate) fn new(connector: String, rows: Vec<Row>, left_behind: usize) -> Self {
        Self { connector, rows, left_behind }
    }

    /// How many rows passed.
    pub fn passed(&self) -> usize {
        self.rows.iter().filter(|row| row.verdict.is_passed()).count()
    }

    /// How many rows do not apply.
    pub fn not_applicable(&self) -> usize {
        self.rows.iter().filter(|row| matches!(row.verdict, Verdict::NotApplicable(_))).count()
    }

    /// How many rows failed.
    pub fn failed(&self) -> usize {
        self.failures().count()
    }

    /// The rows that failed.
    pub fn failures(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| matches!(row.verdict, Verdict::Failed(_)))
    }

    /// Why rows do not apply, and how many for each reason.
    fn reasons(&self) -> BTreeMap<&str, usize> {
        let mut reasons = BTreeMap::new();
        for row in &self.rows {
            if let Verdict::NotApplicable(why) = &row.verdict {
                *reasons.entry(why.as_str()).or_default() += 1;
            }
        }
        reasons
    }

    /// Ends a test.
    ///
    /// # Panics
    /// Where a row failed; the message says what was seen, why it matters, and how to mend it.
    #[expect(clippy::panic, reason = "a test ends so")]
    pub fn assert_passed(&self) {
        let failed = self.failed();
        if failed > 0 {
            let failures = Failures(self);
            panic!("{failed} conformance checks of {} failed\n\n{failures}", self.connector);
        }
    }

    /// The report for programs.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "connector": self.connector,
            "passed": self.passed(),
            "not_applicable": self.not_applicable(),
            "failed": self.failed(),
            "left_behind": self.left_behind,
            "rows": self.rows,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const COLUMN: usize = 12;
        let columns: BTreeSet<Option<Resource>> = self.rows.iter().map(|row| row.resource).collect();
        let mut lines: Vec<(Area, &str)> = Vec::new();
        let mut cells: BTreeMap<(&str, Option<Resource>), &'static str> = BTreeMap::new();
        for row in &self.rows {
            if lines.last() != Some(&(row.area, row.check)) {
                lines.push((row.area, row.check));
            }
            cells.insert((row.check, row.resource), row.verdict.word());
        }
        let width = lines.iter().map(|(_, check)| check.len()).max().unwrap_or(0);
        let line = |area: &str, check: &str, cells: &dyn Fn(&Option<Resource>) -> &'static str| {
            let cells: String = columns.iter().map(|column| format!("  {:COLUMN$}", cells(column))).collect();
            format!("{area:COLUMN$}  {check:width$}{cells}").trim_end().to_owned()
        };
        let title = |column: &Option<Resource>| column.map_or("connector", Resource::as_str);
        writeln!(f, "{}", line(&self.connector, "", &title))?;
        for (area, check) in &lines {
            let cell = |column: &Option<Resource>| cells.get(&(check, *column)).copied().unwrap_or("");
            writeln!(f, "{}", line(area.as_str(), check, &cell))?;
        }
        let (passed, not_applicable, failed) = (self.passed(), self.not_applicable(), self.failed());
        writeln!(f, "\n{passed} passed, {not_applicable} not applicable, {failed} failed")?;
        if self.left_behind > 0 {
            writeln!(f, "{} records could not be deleted", self.left_behind)?;
        }
        for (why, count) in self.reasons() {
            writeln!(f, "{count:4} n.a.: {why}")?;
        }
        write!(f, "{}", Failures(self))
    }
}

/// The failed rows, with all that is to be known of them.
struct Failures<'a>(&'a Report);

impl fmt::Display for Failures<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in self.0.failures() {
            let resource = row.resource.map_or("connector", Resource::as_str);
            let seen = if let Verdict::Failed(seen) = &row.verdict { seen } else { "" };
            writeln!(
                f,
                "{} ({resource})\n  seen:   {seen}\n  why:    {}\n  remedy: {}",
                row.check, row.reason, row.remedy
            )?;
        }
        Ok(())
    }
}
