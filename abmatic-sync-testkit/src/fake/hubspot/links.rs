//! Associations: which record hangs on which, by type id, always kept from both sides.

use std::collections::{BTreeMap, BTreeSet};

use crate::fake::hubspot::kind::Kind;

/// An association type's number.
pub(crate) type TypeId = u16;

/// A custom label of a pair of object types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CustomLabel {
    pub(crate) from: Kind,
    pub(crate) to: Kind,
    pub(crate) type_id: TypeId,
    /// The same label seen from the other side.
    pub(crate) inverse: TypeId,
    pub(crate) name: String,
    pub(crate) label: String,
}

/// From, to and type id of every association of one pair of types, in that order.
type Edges = BTreeSet<(u64, u64, TypeId)>;

/// All associations of the account.
#[derive(Clone, Debug, Default)]
pub(crate) struct Links {
    edges: BTreeMap<(Kind, Kind), Edges>,
    pub(crate) custom: Vec<CustomLabel>,
}

/// Unlabelled and primary type of a pair, from HubSpot's table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PairTypes {
    pub(crate) plain: TypeId,
    pub(crate) primary: Option<TypeId>,
}

/// From, to, unlabelled, primary, reverse unlabelled, reverse primary; 0 for none.
const PAIRS: &[(Kind, Kind, TypeId, TypeId, TypeId, TypeId)] = &[
    (Kind::CONTACTS, Kind::COMPANIES, 279, 1, 280, 2),
    (Kind::DEALS, Kind::COMPANIES, 341, 5, 342, 6),
    (Kind::DEALS, Kind::CONTACTS, 3, 0, 4, 0),
    (Kind::LEADS, Kind::CONTACTS, 608, 578, 607, 577),
    (Kind::LEADS, Kind::COMPANIES, 610, 580, 609, 579),
    (Kind::LEADS, Kind::DEALS, 1037, 0, 1036, 0),
    (Kind::NOTES, Kind::CONTACTS, 202, 0, 201, 0),
    (Kind::NOTES, Kind::COMPANIES, 190, 0, 189, 0),
    (Kind::NOTES, Kind::DEALS, 214, 0, 213, 0),
    (Kind::TASKS, Kind::CONTACTS, 204, 0, 203, 0),
    (Kind::TASKS, Kind::COMPANIES, 192, 0, 191, 0),
    (Kind::TASKS, Kind::DEALS, 216, 0, 215, 0),
    (Kind::MEETINGS, Kind::CONTACTS, 200, 0, 199, 0),
    (Kind::MEETINGS, Kind::COMPANIES, 188, 0, 187, 0),
    (Kind::MEETINGS, Kind::DEALS, 212, 0, 211, 0),
    (Kind::EMAILS, Kind::CONTACTS, 198, 0, 197, 0),
    (Kind::EMAILS, Kind::COMPANIES, 186, 0, 185, 0),
    (Kind::EMAILS, Kind::DEALS, 210, 0, 209, 0),
    (Kind::CALLS, Kind::CONTACTS, 194, 0, 193, 0),
    (Kind::CALLS, Kind::COMPANIES, 182, 0, 181, 0),
    (Kind::CALLS, Kind::DEALS, 206, 0, 205, 0),
    (Kind::COMMUNICATIONS, Kind::CONTACTS, 81, 0, 82, 0),
    (Kind::COMMUNICATIONS, Kind::COMPANIES, 87, 0, 88, 0),
    (Kind::COMMUNICATIONS, Kind::DEALS, 85, 0, 86, 0),
];

const CONTACT_TO_CONTACT: TypeId = 449;
const COMPANY_TO_COMPANY: TypeId = 450;
/// From the parent to its child.
pub(crate) const PARENT_TO_CHILD: TypeId = 13;
/// From the child to its parent.
pub(crate) const CHILD_TO_PARENT: TypeId = 14;

/// The types of a pair of object types, or `None` where they cannot be associated.
pub(crate) fn pair_types(from: Kind, to: Kind) -> Option<PairTypes> {
    let types = |plain: TypeId, primary: TypeId| PairTypes { plain, primary: (primary != 0).then_some(primary) };
    match (from, to) {
        (Kind::CONTACTS, Kind::CONTACTS) => return Some(types(CONTACT_TO_CONTACT, 0)),
        (Kind::COMPANIES, Kind::COMPANIES) => return Some(types(COMPANY_TO_COMPANY, 0)),
        _ => {}
    }
    PAIRS.iter().find_map(|&(one, other, plain, primary, reverse, reverse_primary)| {
        if (from, to) == (one, other) {
            Some(types(plain, primary))
        } else if (from, to) == (other, one) {
            Some(types(reverse, reverse_primary))
        } else {
            None
        }
    })
}

impl Links {
    /// The types that a pair knows, HubSpot's own and custom ones, with their labels.
    pub(crate) fn labels(&self, from: Kind, to: Kind) -> Vec<(TypeId, Option<String>, bool)> {
        let Some(pair) = pair_types(from, to) else { return Vec::new() };
        let mut labels = vec![(pair.plain, None, false)];
        labels.extend(pair.primary.map(|primary| (primary, Some("Primary".to_owned()), false)));
        if (from, to) == (Kind::COMPANIES, Kind::COMPANIES) {
            labels.push((PARENT_TO_CHILD, Some("Child Company".to_owned()), false));
            labels.push((CHILD_TO_PARENT, Some("Parent Company".to_owned()), false));
        }
        let custom = self.custom.iter().filter(|custom| (custom.from, custom.to) == (from, to));
        labels.extend(custom.map(|custom| (custom.type_id, Some(custom.label.clone()), true)));
        labels
    }

    /// The label of a type id of a pair, and whether it is a custom one; `None` where the pair has no such type.
    pub(crate) fn label_of(&self, from: Kind, to: Kind, type_id: TypeId) -> Option<(Option<String>, bool)> {
        self.labels(from, to)
            .into_iter()
            .find(|(known, ..)| *known == type_id)
            .map(|(_, label, custom)| (label, custom))
    }

    /// The object type that a type id leads to from `from`.
    pub(crate) fn target_of(&self, from: Kind, type_id: TypeId) -> Option<Kind> {
        Kind::all().find(|to| self.label_of(from, *to, type_id).is_some())
    }

    /// The same association seen from the other side.
    fn inverse(&self, from: Kind, to: Kind, type_id: TypeId) -> TypeId {
        match type_id {
            PARENT_TO_CHILD => return CHILD_TO_PARENT,
            CHILD_TO_PARENT => return PARENT_TO_CHILD,
            _ => {}
        }
        if let Some(custom) = self.custom.iter().find(|custom| custom.type_id == type_id) {
            return custom.inverse;
        }
        let primary = pair_types(from, to).is_some_and(|pair| pair.primary == Some(type_id));
        let back = pair_types(to, from);
        back.map_or(type_id, |back| if primary { back.primary.unwrap_or(back.plain) } else { back.plain })
    }

    fn insert(&mut self, from: (Kind, u64), to: (Kind, u64), type_id: TypeId) {
        let inverse = self.inverse(from.0, to.0, type_id);
        self.edges.entry((from.0, to.0)).or_default().insert((from.1, to.1, type_id));
        self.edges.entry((to.0, from.0)).or_default().insert((to.1, from.1, inverse));
    }

    fn take(&mut self, from: (Kind, u64), to: (Kind, u64), type_id: TypeId) {
        let inverse = self.inverse(from.0, to.0, type_id);
        if let Some(edges) = self.edges.get_mut(&(from.0, to.0)) {
            edges.remove(&(from.1, to.1, type_id));
        }
        if let Some(edges) = self.edges.get_mut(&(to.0, from.0)) {
            edges.remove(&(to.1, from.1, inverse));
        }
    }

    /// Adds a type to a pair of records. Any type brings the unlabelled one; a primary one moves primacy here; the
    /// first company of a contact or deal becomes its primary one.
    pub(crate) fn add(&mut self, from: (Kind, u64), to: (Kind, u64), type_id: TypeId) {
        let Some(pair) = pair_types(from.0, to.0) else { return };
        self.insert(from, to, pair.plain);
        self.insert(from, to, type_id);
        // Primacy belongs to the side that has one company among several: the contact, the deal, the lead.
        let (many, one, primary) = match (from.0, to.0) {
            (Kind::COMPANIES, _) => (to, from, pair_types(to.0, from.0).and_then(|pair| pair.primary)),
            _ => (from, to, pair.primary),
        };
        let Some(primary) = primary else { return };
        let asked = pair.primary == Some(type_id);
        match self.primary(many, one.0) {
            Some(present) if asked && present != one.1 => {
                self.take(many, (one.0, present), primary);
                self.insert(many, one, primary);
            }
            Some(_) => {}
            None => self.insert(many, one, primary),
        }
    }

    /// The primary record of another type.
    pub(crate) fn primary(&self, from: (Kind, u64), to: Kind) -> Option<u64> {
        let primary = pair_types(from.0, to)?.primary?;
        self.of(from, to).find(|(_, type_id)| *type_id == primary).map(|(to, _)| to)
    }

    /// Takes types away from a pair of records; without `types` all of them, and so the association.
    pub(crate) fn remove(&mut self, from: (Kind, u64), to: (Kind, u64), types: Option<&[TypeId]>) {
        let present: Vec<TypeId> =
            self.of(from, to.0).filter(|(id, _)| *id == to.1).map(|(_, type_id)| type_id).collect();
        for type_id in present {
            if types.is_none_or(|types| types.contains(&type_id)) {
                self.take(from, to, type_id);
            }
        }
        self.promote(from, to.0);
        self.promote(to, from.0);
    }

    /// Gives a contact or deal whose primary company went the next one.
    fn promote(&mut self, many: (Kind, u64), one: Kind) {
        if many.0 == Kind::COMPANIES || self.primary(many, one).is_some() {
            return;
        }
        let primary = pair_types(many.0, one).and_then(|pair| pair.primary);
        let next = self.of(many, one).next().map(|(id, _)| id);
        if let (Some(primary), Some(next)) = (primary, next) {
            self.insert(many, (one, next), primary);
        }
    }

    /// What a record is associated with: ids and type ids, by id.
    pub(crate) fn of(&self, from: (Kind, u64), to: Kind) -> impl Iterator<Item = (u64, TypeId)> {
        let range = (from.1, 0, 0)..=(from.1, u64::MAX, TypeId::MAX);
        self.edges
            .get(&(from.0, to))
            .into_iter()
            .flat_map(move |edges| edges.range(range.clone()))
            .map(|(_, to, type_id)| (*to, *type_id))
    }

    /// The types between two records, ascending.
    pub(crate) fn between(&self, from: (Kind, u64), to: (Kind, u64)) -> Vec<TypeId> {
        self.of(from, to.0).filter(|(id, _)| *id == to.1).map(|(_, type_id)| type_id).collect()
    }

    /// The associated records, each once, by id.
    pub(crate) fn partners(&self, from: (Kind, u64), to: Kind) -> Vec<u64> {
        let mut partners: Vec<u64> = self.of(from, to).map(|(id, _)| id).collect();
        partners.dedup();
        partners
    }

    /// How many records of another type hang on this one.
    pub(crate) fn count(&self, from: (Kind, u64), to: Kind) -> usize {
        let mut last = None;
        self.of(from, to).filter(|(id, _)| last.replace(*id) != Some(*id)).count()
    }

    /// Moves all associations of a record to another one of its type, as a merge does.
    pub(crate) fn hand_over(&mut self, kind: Kind, old: u64, new: u64) {
        for to in Kind::all() {
            let present: Vec<(u64, TypeId)> = self.of((kind, old), to).collect();
            for (partner, type_id) in present {
                self.take((kind, old), (to, partner), type_id);
                let labelled = pair_types(kind, to).is_none_or(|pair| pair.primary != Some(type_id));
                if partner != new && labelled {
                    self.add((kind, new), (to, partner), type_id);
                }
            }
        }
    }

    /// Forgets all associations of a record.
    pub(crate) fn forget(&mut self, kind: Kind, id: u64) {
        for to in Kind::all() {
            for partner in self.partners((kind, id), to) {
                self.remove((kind, id), (to, partner), None);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Links;
    use crate::fake::hubspot::kind::Kind;

    const ANN: (Kind, u64) = (Kind::CONTACTS, 1);
    const ACME: (Kind, u64) = (Kind::COMPANIES, 10);
    const BETA: (Kind, u64) = (Kind::COMPANIES, 20);

    #[test]
    fn the_first_company_is_primary_and_primacy_moves_and_is_handed_on() {
        let mut links = Links::default();
        links.add(ANN, ACME, 279);
        assert_eq!(links.between(ANN, ACME), [1, 279]);
        assert_eq!(links.between(ACME, ANN), [2, 280]);
        links.add(ANN, BETA, 1);
        assert_eq!((links.between(ANN, ACME), links.between(ANN, BETA)), (vec![279], vec![1, 279]));
        links.remove(ANN, BETA, None);
        assert_eq!(links.primary(ANN, Kind::COMPANIES), Some(10));
    }
}
