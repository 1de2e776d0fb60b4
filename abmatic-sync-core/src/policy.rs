//! What may be created, updated, overwritten or cleared, where, and how conflicts end.

use serde::{Deserialize, Serialize};

use crate::filter::expr::Expr;
use crate::ids::{LocalId, RemoteId};
use crate::model::resource::{Resource, Side};

/// What to do with a record that exists already on the side that is written.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DuplicateHandling {
    /// Every differing field takes the source's value, unless that is blank.
    OverwriteAll,
    /// It is linked and left as it is.
    Skip,
    /// Only empty fields are filled.
    #[default]
    UpdateMissing,
}

impl DuplicateHandling {
    /// Reads `skip`, `overwrite-all` or `update-missing`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "overwrite-all" => Some(Self::OverwriteAll),
            "skip" => Some(Self::Skip),
            "update-missing" => Some(Self::UpdateMissing),
            _ => None,
        }
    }
}

/// Who wins when both sides changed a field that has no source of truth.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictRule {
    /// The later edit. A tie goes to [`Policy::tie`].
    #[default]
    LatestEdit,
    /// Always this side.
    Always(Side),
}

/// What an emptied field means.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlankRule {
    /// A deliberate clear (the base held a value) travels like any other edit.
    Clear,
    /// An empty value never overwrites.
    #[default]
    Keep,
}

/// What to do when the key finds several candidates.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AmbiguousRule {
    /// Take the oldest, with a warning.
    #[default]
    Oldest,
    /// Leave the record, and say so.
    Report,
}

/// What to do when a record was deleted on one side. Its counterpart, the survivor, is never created anew by a later sync:
/// only a push or an import that names it does that. A record that is restored is linked with its counterpart again.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GoneRule {
    /// Delete the survivor too: here as the host deletes, in the CRM to its recycle bin where it has one. Not where the
    /// survivor was edited since both sides last agreed, nor where updates of its side are closed: then as
    /// [`GoneRule::Report`]. Set [`Caps::deletes_max`] too: a record that the token may not see any more is not told from one
    /// that was deleted.
    Propagate,
    /// Leave the survivor as it is, and say so. It stays the deleted record's counterpart, and matches no other.
    #[default]
    Report,
    /// Leave the survivor as it is, and say so. It may be matched with another record by its key.
    Unlink,
}

/// Which writes one side is open to.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Writes {
    /// New records.
    pub create: bool,
    /// Existing ones.
    pub update: bool,
}

impl Writes {
    /// Creates and updates.
    pub const ALL: Self = Self { create: true, update: true };
    /// Neither.
    pub const NONE: Self = Self { create: false, update: false };

    /// As said.
    pub const fn new(create: Create, update: Update) -> Self {
        Self { create: matches!(create, Create::Allowed), update: matches!(update, Update::Allowed) }
    }
}

/// Whether new records may be made.
#[expect(clippy::exhaustive_enums, reason = "it is or it is not")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Create {
    /// They may.
    Allowed,
    /// They may not.
    Closed,
}

/// Whether existing records may be written.
#[expect(clippy::exhaustive_enums, reason = "it is or it is not")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    /// They may.
    Allowed,
    /// They may not.
    Closed,
}

/// The most that a run may write without being confirmed. `None` is no cap.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caps {
    /// New records, on both sides together.
    pub creates_max: Option<u64>,
    /// Updated records, on both sides together.
    pub updates_max: Option<u64>,
    /// Cleared fields, on both sides together.
    pub clears_max: Option<u64>,
    /// Deleted records, on both sides together.
    #[serde(default)]
    pub deletes_max: Option<u64>,
}

impl Caps {
    /// Whether there is any cap.
    pub fn any(&self) -> bool {
        [self.creates_max, self.updates_max, self.clears_max, self.deletes_max].iter().any(Option::is_some)
    }
}

/// The settings of one connection and resource.
///
/// ```
/// use abmatic_sync_core::policy::{BlankRule, DuplicateHandling, Policy};
/// let policy = Policy::default().with_duplicates(DuplicateHandling::OverwriteAll).with_blank(BlankRule::Clear);
/// assert!(policy.import.create && policy.export.update);
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// What may be written on the host's side.
    pub import: Writes,
    /// What may be written on the CRM's side.
    pub export: Writes,
    /// What happens to records that exist already.
    pub duplicates: DuplicateHandling,
    /// Who wins a conflict.
    pub conflict: ConflictRule,
    /// Who wins a tie.
    pub tie: Side,
    /// What an emptied field means.
    pub blank: BlankRule,
    /// What several candidates mean.
    pub ambiguous: AmbiguousRule,
    /// What a vanished counterpart means.
    pub gone: GoneRule,
    /// The most that may be written without confirmation.
    pub caps: Caps,
    /// What people become in the CRM, where it has both contacts and leads. `None`: what they are here.
    pub people_destination: Option<Resource>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            import: Writes::ALL,
            export: Writes::ALL,
            duplicates: DuplicateHandling::default(),
            conflict: ConflictRule::default(),
            tie: Side::Remote,
            blank: BlankRule::default(),
            ambiguous: AmbiguousRule::default(),
            gone: GoneRule::default(),
            caps: Caps::default(),
            people_destination: None,
        }
    }
}

impl Policy {
    /// Sets what may be written here.
    #[must_use]
    pub fn with_import(mut self, writes: Writes) -> Self {
        self.import = writes;
        self
    }

    /// Sets what may be written in the CRM.
    #[must_use]
    pub fn with_export(mut self, writes: Writes) -> Self {
        self.export = writes;
        self
    }

    /// Sets what happens to records that exist already.
    #[must_use]
    pub fn with_duplicates(mut self, handling: DuplicateHandling) -> Self {
        self.duplicates = handling;
        self
    }

    /// Sets who wins a conflict.
    #[must_use]
    pub fn with_conflict(mut self, rule: ConflictRule) -> Self {
        self.conflict = rule;
        self
    }

    /// Sets what an emptied field means.
    #[must_use]
    pub fn with_blank(mut self, rule: BlankRule) -> Self {
        self.blank = rule;
        self
    }

    /// Sets what several candidates mean.
    #[must_use]
    pub fn with_ambiguous(mut self, rule: AmbiguousRule) -> Self {
        self.ambiguous = rule;
        self
    }

    /// Sets what a vanished counterpart means.
    #[must_use]
    pub fn with_gone(mut self, rule: GoneRule) -> Self {
        self.gone = rule;
        self
    }

    /// Sets the caps.
    #[must_use]
    pub fn with_caps(mut self, caps: Caps) -> Self {
        self.caps = caps;
        self
    }

    /// Sets what people become in the CRM.
    #[must_use]
    pub fn with_people_destination(mut self, resource: Resource) -> Self {
        self.people_destination = Some(resource);
        self
    }

    /// What may be written on `side`.
    pub fn writes(&self, side: Side) -> Writes {
        match side {
            Side::Local => self.import,
            Side::Remote => self.export,
        }
    }
}

/// Which of the CRM's records a run reads.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Every record of the resource.
    #[default]
    All,
    /// Those that a filter holds of, in the CRM's field names.
    Filter(Expr),
    /// These records.
    Ids(Vec<RemoteId>),
    /// Members of one of the CRM's own lists.
    List(String),
}

/// Which of the host's records a push reads.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// Every record of the resource.
    #[default]
    All,
    /// These records.
    Ids(Vec<LocalId>),
}

#[cfg(test)]
mod tests {
    use super::{
        AmbiguousRule, BlankRule, Caps, ConflictRule, Create, DuplicateHandling, GoneRule, Policy, Update, Writes,
    };
    use crate::model::resource::{Resource, Side};

    #[test]
    fn duplicate_handling_is_read_by_the_word_that_is_stored() {
        use DuplicateHandling::{OverwriteAll, Skip, UpdateMissing};
        for (word, handling) in [("overwrite-all", OverwriteAll), ("skip", Skip), ("update-missing", UpdateMissing)] {
            assert_eq!(DuplicateHandling::parse(word), Some(handling));
            assert_eq!(serde_json::to_string(&handling).unwrap(), format!("\"{word}\""));
        }
        assert_eq!(DuplicateHandling::parse("merge"), None);
    }

    #[test]
    fn any_one_cap_is_a_cap() {
        let none = Caps::default();
        assert!(!none.any());
        let caps = [
            Caps { creates_max: Some(0), ..none },
            Caps { updates_max: Some(0), ..none },
            Caps { clears_max: Some(0), ..none },
            Caps { deletes_max: Some(0), ..none },
        ];
        assert!(caps.iter().all(Caps::any));
    }

    #[test]
    fn each_setting_is_set_alone() {
        let (plain, no_updates) = (Policy::default(), Writes::new(Create::Allowed, Update::Closed));
        let caps = Caps { creates_max: Some(5), ..Caps::default() };
        let set: Vec<(Policy, Policy)> = vec![
            (plain.clone().with_import(no_updates), Policy { import: no_updates, ..plain.clone() }),
            (plain.clone().with_export(Writes::NONE), Policy { export: Writes::NONE, ..plain.clone() }),
            (
                plain.clone().with_duplicates(DuplicateHandling::Skip),
                Policy { duplicates: DuplicateHandling::Skip, ..plain.clone() },
            ),
            (
                plain.clone().with_conflict(ConflictRule::Always(Side::Local)),
                Policy { conflict: ConflictRule::Always(Side::Local), ..plain.clone() },
            ),
            (plain.clone().with_blank(BlankRule::Clear), Policy { blank: BlankRule::Clear, ..plain.clone() }),
            (
                plain.clone().with_ambiguous(AmbiguousRule::Report),
                Policy { ambiguous: AmbiguousRule::Report, ..plain.clone() },
            ),
            (plain.clone().with_gone(GoneRule::Unlink), Policy { gone: GoneRule::Unlink, ..plain.clone() }),
            (plain.clone().with_caps(caps), Policy { caps, ..plain.clone() }),
            (
                plain.clone().with_people_destination(Resource::Lead),
                Policy { people_destination: Some(Resource::Lead), ..plain.clone() },
            ),
        ];
        for (policy, expected) in set {
            assert_eq!(policy, expected);
            assert_ne!(policy, plain);
        }
        let policy = plain.with_import(no_updates).with_export(Writes::NONE);
        assert_eq!((policy.writes(Side::Local), policy.writes(Side::Remote)), (no_updates, Writes::NONE));
        assert!(no_updates.create && !no_updates.update);
    }
}
