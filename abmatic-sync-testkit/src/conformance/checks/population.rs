//! Records to filter by: texts that resemble each other, numbers in a row, and blanks.

use abmatic_sync_core::filter::expr::field;
use abmatic_sync_core::model::schema::{Field, FieldType};
use abmatic_sync_core::model::value::Value;

use crate::conformance::check::Judgement;
use crate::conformance::checks::filters::on_the_server;
use crate::conformance::probe::Probe;

/// What stands before the tag in the texts of the population; none for a blank text.
const TEXTS: [Option<&str>; 9] = [
    Some("Alpha"),
    Some("Alpine"),
    Some("beta"),
    Some("100% sure"),
    Some("100 is sure"),
    Some("a_b"),
    Some("axb"),
    Some(r#"O'N "q" \ ) OR 1=1--"#),
    None,
];

/// A text of the population.
pub(crate) fn text(start: &str, tag: &str) -> String {
    format!("{start} {tag}")
}

/// Makes the population once. The tag in its texts.
pub(crate) async fn population(probe: Probe<'_>) -> Judgement<&str> {
    let tag = probe.offer.mixed.get_or_try_init(|| make(probe)).await?;
    Ok(tag)
}

/// The text field to filter by: one whose conditions the CRM evaluates, where there is one.
pub(crate) fn filtered_field(probe: Probe<'_>) -> Judgement<&Field> {
    let usual = probe.text_field()?;
    let is_on_server = |one: &&Field| on_the_server(probe, &field(one.name.clone()).equals("x")).is_ok();
    let texts = probe.exercised().filter(|one| one.field_type == FieldType::Text && probe.is_free(one));
    Ok(Some(usual).into_iter().chain(texts).find(is_on_server).unwrap_or(usual))
}

async fn make(probe: Probe<'_>) -> Judgement<String> {
    let tag = probe.stand.tag(probe.stand.number());
    let name = filtered_field(probe)?;
    let number = probe.field_of(&[FieldType::Integer, FieldType::Decimal]).ok();
    let mut creates = Vec::new();
    for (place, start) in TEXTS.iter().enumerate() {
        let mut fields = probe.full_sample().await?;
        match start {
            Some(start) => fields.insert(name.name.clone(), text(start, &tag).into()),
            None if name.required_on_create => None,
            None => fields.remove(name.name.as_str()),
        };
        if let Some(number) = number {
            fields.insert(number.name.clone(), Value::Integer(i64::try_from(place).unwrap_or(0) * 10));
        }
        creates.push(fields);
    }
    for fields in creates {
        probe.make_with(fields).await?;
    }
    Ok(tag)
}
