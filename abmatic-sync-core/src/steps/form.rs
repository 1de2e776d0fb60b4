//! Whether a value is what a CRM made of the one that it was sent.

use crate::model::fields::Fields;
use crate::model::value::Value;

/// Shorter beginnings of what was sent are rather somebody's edit than a CRM's cut.
const CUT_MIN: usize = 10;

/// What a CRM kept of what it was sent, as far as a record that was read later tells: what looks like a form of the value
/// sent. Anything else may be somebody's edit since, and has to look like one.
///
/// A connector that reads a record back after a write gives this as [`Written::fields`](crate::connector::request::Written).
pub fn kept_of(held: &Fields, sent: &Fields) -> Fields {
    let kept = sent.iter().filter_map(|(name, value)| {
        let held = held.get(name.as_str())?;
        is_form_of(held, value).then(|| (name.clone(), held.clone()))
    });
    kept.collect()
}

/// Whether a value may be what the CRM made of the one sent: cut, rounded, or spelled in its way.
pub(crate) fn is_form_of(held: &Value, sent: &Value) -> bool {
    match (held.as_text(), sent.as_text()) {
        (Some(held), Some(sent)) => {
            let (held, sent) = (held.trim().to_lowercase(), sent.trim().to_lowercase());
            held == sent || (held.chars().count() >= CUT_MIN && sent.starts_with(&held))
        }
        (Some(_) | None, _) => held.same_as(sent) || is_rounded(held, sent),
    }
}

fn is_rounded(held: &Value, sent: &Value) -> bool {
    let (Some(held), Some(sent)) = (held.as_decimal(), sent.as_decimal()) else { return false };
    let places = held.normalize().scale();
    sent.round_dp(places) == held || sent.trunc_with_scale(places) == held
}
