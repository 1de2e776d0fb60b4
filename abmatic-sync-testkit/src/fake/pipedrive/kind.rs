//! The records that API v2 serves, and the names under which the API knows them.

/// A kind of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Activity,
    Deal,
    Organization,
    Person,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Activity, Self::Deal, Self::Organization, Self::Person];

    /// Its place in a list of all kinds.
    pub(crate) fn index(self) -> usize {
        match self {
            Self::Activity => 0,
            Self::Deal => 1,
            Self::Organization => 2,
            Self::Person => 3,
        }
    }

    /// By its segment in a path.
    pub(crate) fn by_path(segment: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.path() == segment)
    }

    /// By the segment of its fields in a path.
    pub(crate) fn by_fields_path(segment: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| segment.strip_suffix("Fields") == Some(kind.name()))
    }

    /// By the `object` of a filter's condition.
    pub(crate) fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// By the `type` of a filter.
    pub(crate) fn by_filter_type(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.filter_type() == name)
    }

    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Activity => "activities",
            Self::Deal => "deals",
            Self::Organization => "organizations",
            Self::Person => "persons",
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Activity => "activity",
            Self::Deal => "deal",
            Self::Organization => "organization",
            Self::Person => "person",
        }
    }

    pub(crate) fn filter_type(self) -> &'static str {
        match self {
            Self::Activity => "activity",
            Self::Deal => "deals",
            Self::Organization => "org",
            Self::Person => "people",
        }
    }

    /// The field that a record cannot be made without, if there is one.
    pub(crate) fn title(self) -> Option<&'static str> {
        match self {
            Self::Activity => None,
            Self::Deal => Some("title"),
            Self::Organization | Self::Person => Some("name"),
        }
    }
}
