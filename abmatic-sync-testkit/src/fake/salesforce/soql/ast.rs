//! A statement as it was written, with the positions that error messages point to.

/// A name with points in it, for example `Account.Owner.Name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) text: String,
    /// Byte in the statement.
    pub(crate) at: usize,
}

/// `SELECT … FROM …`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Select {
    pub(crate) items: Vec<Item>,
    /// The object, or in a subquery the relationship.
    pub(crate) from: Path,
    /// Another name for the object, for example `FROM Account a`.
    pub(crate) alias: Option<String>,
    /// `USING SCOPE mine`.
    pub(crate) mine: bool,
    pub(crate) condition: Option<Condition>,
    pub(crate) group_by: Vec<Path>,
    pub(crate) order_by: Vec<Order>,
    pub(crate) limit: Option<u64>,
    pub(crate) offset: Option<u64>,
    /// `ALL ROWS`.
    pub(crate) all_rows: bool,
}

/// One thing that is selected.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Item {
    /// `MAX(Amount) most`; the path is empty in `COUNT()`.
    Aggregate { function: Function, path: Path, alias: Option<String> },
    /// `FIELDS(STANDARD)`: the word in the parentheses.
    Fields(Path),
    /// A field, with an alias where it is grouped by.
    Path(Path, Option<String>),
    /// `(SELECT … FROM Contacts)`.
    Subquery(Box<Select>),
}

/// An aggregate function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Avg,
    Count,
    CountDistinct,
    Max,
    Min,
    Sum,
}

impl Function {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_str() {
            "AVG" => Self::Avg,
            "COUNT" => Self::Count,
            "COUNT_DISTINCT" => Self::CountDistinct,
            "MAX" => Self::Max,
            "MIN" => Self::Min,
            "SUM" => Self::Sum,
            _ => return None,
        })
    }
}

/// `Name ASC NULLS LAST`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) path: Path,
    pub(crate) descending: bool,
    /// Nulls are least, so they come first in ascending order, unless this says where.
    pub(crate) nulls_last: Option<bool>,
}

/// What records must be like.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Compare(Path, Operator, Literal),
    In { path: Path, negated: bool, list: Vec<Literal> },
    InSelect { path: Path, negated: bool, select: Box<Select> },
    Includes { path: Path, negated: bool, list: Vec<Literal> },
    Like(Path, Literal),
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    NotEqual,
}

/// A value as it was written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Literal {
    pub(crate) value: LiteralValue,
    pub(crate) at: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum LiteralValue {
    Flag(bool),
    Null,
    /// Without quotes: a number, a date, a moment, or a date literal such as `LAST_N_DAYS:30`.
    Plain(String),
    /// What stood between the quotes, its escapes not yet undone.
    Quoted(String),
}
