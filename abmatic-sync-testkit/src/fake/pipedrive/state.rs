//! What the fake company holds: its records by kind, and all that hangs around them. No rules here.

use std::collections::BTreeMap;

use crate::fake::dice::Dice;
use crate::fake::pipedrive::builtin;
use crate::fake::pipedrive::catalogue::Catalogue;
use crate::fake::pipedrive::fields;
use crate::fake::pipedrive::filters::Filter;
use crate::fake::pipedrive::kind::Kind;
use crate::fake::pipedrive::limits::Limits;
use crate::fake::pipedrive::notes::Note;
use crate::fake::pipedrive::oauth::Tokens;
use crate::fake::pipedrive::people::{self, ActivityType, Stage, User};
use crate::fake::pipedrive::settings::Settings;
use crate::fake::pipedrive::shelf::Shelf;
use crate::fake::pipedrive::webhooks::Webhook;

/// The company.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) settings: Settings,
    pub(crate) dice: Dice,
    pub(crate) limits: Limits,
    pub(crate) tokens: Tokens,
    shelves: Vec<Shelf>,
    pub(crate) users: Vec<User>,
    /// The user whose token it is.
    pub(crate) me: u64,
    pub(crate) stages: Vec<Stage>,
    pub(crate) activity_types: Vec<ActivityType>,
    pub(crate) filters: BTreeMap<u64, Filter>,
    next_filter: u64,
    pub(crate) notes: BTreeMap<u64, Note>,
    next_note: u64,
    pub(crate) webhooks: BTreeMap<u64, Webhook>,
    next_webhook: u64,
    next_field: u64,
    next_option: u64,
}

impl State {
    pub(crate) fn new(settings: Settings, now: i64) -> Self {
        let catalogue = |kind: Kind| {
            let mut fields = builtin::fields(kind);
            match kind {
                Kind::Organization if settings.firmographics => fields.extend(builtin::firmographics()),
                Kind::Person if settings.contact_sync => fields.extend(builtin::contact_sync()),
                Kind::Activity | Kind::Deal | Kind::Organization | Kind::Person => {}
            }
            Catalogue::new(kind, &fields, 4000 + kind.index() as u64 * 5000)
        };
        let custom = settings.custom_fields.clone();
        let mut state = Self {
            dice: Dice::new(settings.rng_seed),
            limits: Limits::new(settings.rate_limits, settings.daily_tokens, settings.burst),
            tokens: Tokens::new(&settings.token),
            shelves: Kind::ALL.into_iter().map(|kind| Shelf::new(catalogue(kind))).collect(),
            users: people::users(),
            me: 11,
            stages: people::stages(),
            activity_types: people::activity_types(),
            filters: BTreeMap::new(),
            next_filter: 900,
            notes: BTreeMap::new(),
            next_note: 1,
            webhooks: BTreeMap::new(),
            next_webhook: 501,
            next_field: 12_345,
            next_option: 190,
            settings,
        };
        for (kind, field) in custom {
            fields::add_custom(&mut state, kind, &field, now);
        }
        state
    }

    /// There is a shelf for every kind.
    pub(crate) fn shelf(&self, kind: Kind) -> &Shelf {
        &self.shelves[kind.index()]
    }

    /// There is a shelf for every kind.
    pub(crate) fn shelf_mut(&mut self, kind: Kind) -> &mut Shelf {
        &mut self.shelves[kind.index()]
    }

    pub(crate) fn purge(&mut self, now: i64) {
        for shelf in &mut self.shelves {
            shelf.purge(now);
        }
    }

    pub(crate) fn is_user(&self, id: u64) -> bool {
        self.users.iter().any(|user| user.id == id)
    }

    pub(crate) fn take_filter_id(&mut self) -> u64 {
        self.next_filter += 1;
        self.next_filter
    }

    pub(crate) fn take_note_id(&mut self) -> u64 {
        self.next_note += 1;
        self.next_note - 1
    }

    pub(crate) fn take_webhook_id(&mut self) -> u64 {
        self.next_webhook += 1;
        self.next_webhook - 1
    }

    pub(crate) fn take_field_number(&mut self) -> u64 {
        self.next_field += 1;
        self.next_field
    }

    pub(crate) fn take_option_id(&mut self) -> u64 {
        self.next_option += 1;
        self.next_option
    }
}
