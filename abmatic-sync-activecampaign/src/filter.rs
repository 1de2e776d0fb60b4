//! The few conditions that the API can evaluate. They narrow what comes; the whole condition is held against that here, since
//! a parameter that is not known is ignored there, and how texts compare is not documented.

use abmatic_sync_core::filter::expr::{Comparison, Expr};
use abmatic_sync_core::model::value::Value;

use crate::column::Spelling;
use crate::describe::Described;
use crate::object::Object;

/// A condition that narrows a list: parameter, field, value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Narrowing<'f> {
    parameter: &'static str,
    field: &'f str,
    value: &'f Value,
}

/// What every record that the filter holds of has to meet, as far as the API can tell. None where it can tell nothing of it.
pub(crate) fn narrow(object: Object, filter: &Expr) -> Vec<Narrowing<'_>> {
    let mut found: Vec<Narrowing<'_>> = Vec::new();
    for part in parts(filter) {
        let (field, how, value) = match part {
            Expr::Compare { field, how, value } => (field, *how, value),
            Expr::In { field, values } => match values.as_slice() {
                [only] => (field, Comparison::Equal, only),
                _ => continue,
            },
            _ => continue,
        };
        let parameter = parameter(object, field.as_str(), how).filter(|_| !value.is_blank());
        // Of two on one field the first will do.
        let is_new = |parameter: &&str| found.iter().all(|one| one.parameter != *parameter);
        if let Some(parameter) = parameter.filter(is_new) {
            found.push(Narrowing { parameter, field: field.as_str(), value });
        }
    }
    found
}

/// The conditions all of which have to hold.
fn parts(filter: &Expr) -> Vec<&Expr> {
    match filter {
        Expr::And(each) => each.iter().flat_map(parts).collect(),
        other => vec![other],
    }
}

/// "List all contacts", "List all accounts", "List all deals".
fn parameter(object: Object, field: &str, how: Comparison) -> Option<&'static str> {
    let is_part = matches!(how, Comparison::Contains | Comparison::StartsWith);
    match (object, field, how) {
        (Object::Account, "name", Comparison::Equal) => Some("search"),
        (Object::Account, "name", _) if is_part => Some("search"),
        (Object::Contact, "email", Comparison::Equal) => Some("email"),
        (Object::Contact, "email", _) if is_part => Some("email_like"),
        (Object::Deal, "owner", Comparison::Equal) => Some("filters[owner]"),
        (Object::Deal, "stage", Comparison::Equal) => Some("filters[stage]"),
        (Object::Deal, "status", Comparison::Equal) => Some("filters[status]"),
        (Object::Account | Object::Contact | Object::Deal | Object::Note, _, _) => None,
    }
}

/// The parameters of a list that narrow it.
pub(crate) fn parameters(object: Object, filter: &Expr, described: &Described) -> Vec<(&'static str, String)> {
    let parameter = |one: &Narrowing<'_>| {
        let text = one.value.to_string();
        let sent = match &described.column(one.field)?.spelling {
            Spelling::Named(names) => names.iter().find(|(_, name)| *name == text)?.0.clone(),
            Spelling::Cents | Spelling::Plain(_) => text,
        };
        Some((one.parameter, sent))
    };
    narrow(object, filter).iter().filter_map(parameter).collect()
}

/// What is to be said where the API can tell nothing of a filter.
pub(crate) fn why_here(object: Object) -> String {
    let fields = match object {
        Object::Account => "their name",
        Object::Contact => "their email",
        Object::Deal => "their stage, status and owner",
        Object::Note => "no field",
    };
    format!("ActiveCampaign filters {} by {fields} only", object.plural())
}

#[cfg(test)]
mod tests {
    use abmatic_sync_core::filter::parse::parse;

    use super::*;

    #[test]
    fn what_every_record_has_to_meet_narrows_a_list() {
        for (object, text, expected) in [
            (Object::Account, r#"name CONTAINS "oy" AND industry = "Retail""#, &["search=oy"] as &[&str]),
            (Object::Account, r#"name = "A" OR industry = "Retail""#, &[]),
            (Object::Account, r#"name != "A""#, &[]),
            (Object::Account, r#"NOT name = "A""#, &[]),
            (Object::Contact, r#"email = "a@x.test""#, &["email=a@x.test"]),
            (Object::Contact, r#"email STARTS WITH "a" AND PLAN = "x""#, &["email_like=a"]),
            (Object::Contact, r#"email CONTAINS "a" AND email CONTAINS "b""#, &["email_like=a"]),
            (Object::Contact, r#"firstName = "Ann""#, &[]),
            (
                Object::Deal,
                r#"stage = "Won" AND (status IN ("open") AND owner = "7") AND value > 5"#,
                &["filters[stage]=Won", "filters[status]=open", "filters[owner]=7"],
            ),
            (Object::Deal, r#"status IN ("open", "won")"#, &[]),
            (Object::Deal, "stage IS NULL", &[]),
        ] {
            let filter = parse(text).unwrap();
            let found = narrow(object, &filter);
            let shown: Vec<String> = found.iter().map(|one| format!("{}={}", one.parameter, one.value)).collect();
            assert_eq!(shown, expected, "{text}");
        }
    }
}
