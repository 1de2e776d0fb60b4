//! Whether a value is what a CRM made of the one that it was sent.

use crate::model::value::Value;

/// Shorter beginnings of what was sent are rather somebody's edit than a CRM's cut.
const CUT_MIN: usize = 10;

/// Whether a value may be what the CRM made of the one sent: cut, or spelled in its way.
pub(crate) fn is_form_of(held: &Value, sent: &Value) -> bool {
    match (held.as_text(), sent.as_text()) {
        (Some(held), Some(sent)) => {
            let (held, sent) = (held.trim().to_lowercase(), sent.trim().to_lowercase());
            held == sent || (held.chars().count() >= CUT_MIN && sent.starts_with(&held))
        }
        (Some(_) | None, _) => held.same_as(sent),
    }
}
