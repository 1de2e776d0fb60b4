//! What values become: kept as they are, or the change is told, or they are refused.

use abmatic_sync_core::connector::request::WriteOutcome;
use abmatic_sync_core::error::ErrorKind;
use abmatic_sync_core::model::schema::{Field, FieldType};
use abmatic_sync_core::model::value::Value;

use crate::conformance::check::{Check, Judgement, check, ensure, fault};
use crate::conformance::probe::{Probe, value};

const CHANGED: &str = "what the CRM keeps otherwise than it was sent looks like an edit, and comes back to the host";
const TELL: &str = "keep values as they are, or say in `Written.fields` what became of them";

pub(crate) const CHECKS: &[Check] = &[
    check!(Values, Resource, emoji_are_kept, CHANGED, "send and read UTF-8; beyond the basic plane too"),
    check!(Values, Resource, right_to_left_text_is_kept, CHANGED, "send and read UTF-8"),
    check!(Values, Resource, combining_letters_are_kept, CHANGED, TELL),
    check!(Values, Resource, quotes_and_backslashes_are_kept, CHANGED, "escape values by a serialiser, never by hand"),
    check!(Values, Resource, markup_is_kept, CHANGED, TELL),
    check!(Values, Resource, spaces_around_are_kept_or_told, CHANGED, TELL),
    check!(Values, Resource, line_breaks_are_kept_or_told, CHANGED, TELL),
    check!(Values, Resource, a_very_long_text_is_kept_told_or_refused, CHANGED, TELL),
    check!(
        Values,
        Resource,
        decimals_are_exact,
        "money that passes through a float is off by cents",
        "read numbers as `Decimal` from their text"
    ),
    check!(
        Values,
        Resource,
        large_numbers_are_exact,
        "numbers beyond 2^53 lose digits in a float",
        "read numbers as `Decimal` or `i64` from their text"
    ),
    check!(Values, Resource, numbers_below_zero_are_kept, CHANGED, TELL),
    check!(
        Values,
        Resource,
        days_are_kept,
        "a day that moves with a time zone is a day off",
        "read days without a time zone"
    ),
    check!(Values, Resource, moments_keep_their_precision, "a time that is cut looks like an edit", TELL),
    check!(Values, Resource, truths_are_kept, CHANGED, "send and read false as false, not as blank"),
    check!(
        Values,
        Resource,
        several_options_are_kept,
        "options that run together are one that does not exist",
        "send and read each option by itself"
    ),
];

/// Writes a value, and compares what is read with what was sent and with what was said.
async fn survives(probe: Probe<'_>, field: &Field, sent: Value, may_refuse: bool) -> Judgement {
    let name = &field.name;
    let mut fields = probe.full_sample().await?;
    fields.insert(name.clone(), sent.clone());
    match probe.write_one(probe.create(fields)).await? {
        WriteOutcome::Failed(error) => {
            ensure!(may_refuse && error.kind() == ErrorKind::Invalid, "{:?} is refused: {error}", short(&sent));
            Ok(())
        }
        WriteOutcome::Written(written) => {
            let record = probe.held(&written.id).await?;
            let kept = value(&record, name);
            let told = written.fields.get(name.as_str()) == Some(kept) || written.unwritten.contains(name);
            let (kept_short, sent_short) = (short(kept), short(&sent));
            ensure!(
                kept.same_as(&sent) || told,
                "{:?} keeps {kept_short:?} for {sent_short:?}, in silence",
                name.as_str()
            );
            Ok(())
        }
        other => fault(format!("the outcome is {other:?}")),
    }
}

fn short(value: &Value) -> String {
    value.to_string().chars().take(60).collect()
}

/// A text that no other record has, around `text`.
async fn text_survives(probe: Probe<'_>, text: &str, may_refuse: bool) -> Judgement {
    let field = probe.text_field()?;
    let tagged = text.replace("TAG", &probe.sample().1);
    survives(probe, field, Value::text(tagged), may_refuse).await
}

async fn emoji_are_kept(probe: Probe<'_>) -> Judgement {
    text_survives(probe, "😀 TAG 👩‍👩‍👧‍👦 🇩🇪", false).await
}

async fn right_to_left_text_is_kept(probe: Probe<'_>) -> Judgement {
    text_survives(probe, "שלום TAG مرحبا", false).await
}

async fn combining_letters_are_kept(probe: Probe<'_>) -> Judgement {
    text_survives(probe, "A\u{308}rzte Ärzte TAG ﬁn", false).await
}

async fn quotes_and_backslashes_are_kept(probe: Probe<'_>) -> Judgement {
    text_survives(probe, r#"O'N "a" \ `TAG`;{"a":1} %s"#, false).await
}

async fn markup_is_kept(probe: Probe<'_>) -> Judgement {
    text_survives(probe, "<b>TAG</b> &amp; R&D <3", false).await
}

async fn spaces_around_are_kept_or_told(probe: Probe<'_>) -> Judgement {
    text_survives(probe, "  TAG  of  spaces  ", false).await
}

async fn line_breaks_are_kept_or_told(probe: Probe<'_>) -> Judgement {
    text_survives(probe, "TAG\nsecond\r\nthird\tend", true).await
}

async fn a_very_long_text_is_kept_told_or_refused(probe: Probe<'_>) -> Judgement {
    const LONG: usize = 70_000;
    let most = probe.text_field()?.length_max.and_then(|most| usize::try_from(most).ok());
    let length = most.map_or(LONG, |most| most + 1);
    text_survives(probe, &format!("TAG{}", "ä".repeat(length)), true).await
}

fn decimal(text: &str) -> Judgement<Value> {
    text.parse().map_or_else(|_| fault(format!("{text} is no number")), |number| Ok(Value::Decimal(number)))
}

async fn decimals_are_exact(probe: Probe<'_>) -> Judgement {
    let field = probe.field_of(&[FieldType::Decimal])?;
    for text in ["0.1", "1234567.89", "19.99"] {
        survives(probe, field, decimal(text)?, false).await?;
    }
    Ok(())
}

async fn large_numbers_are_exact(probe: Probe<'_>) -> Judgement {
    let field = probe.field_of(&[FieldType::Decimal, FieldType::Integer])?;
    survives(probe, field, Value::Integer(12_345_678), false).await?;
    survives(probe, field, Value::Integer(2_147_483_647), true).await?;
    survives(probe, field, Value::Integer(9_007_199_254_740_993), true).await
}

async fn numbers_below_zero_are_kept(probe: Probe<'_>) -> Judgement {
    let field = probe.field_of(&[FieldType::Decimal, FieldType::Integer])?;
    survives(probe, field, Value::Integer(-7), true).await?;
    survives(probe, field, Value::Integer(0), false).await
}

async fn days_are_kept(probe: Probe<'_>) -> Judgement {
    let field = probe.field_of(&[FieldType::Date])?;
    for (year, month, day) in [(2024, 2, 29), (1999, 12, 31), (2026, 1, 1)] {
        let day = chrono::NaiveDate::from_ymd_opt(year, month, day).map_or_else(|| fault("no such day"), Ok)?;
        survives(probe, field, Value::Date(day), false).await?;
    }
    Ok(())
}

async fn moments_keep_their_precision(probe: Probe<'_>) -> Judgement {
    let field = probe.field_of(&[FieldType::Instant])?;
    for millis in [1_795_536_000_000, 1_795_536_000_123, 951_868_799_999] {
        let moment = chrono::DateTime::from_timestamp_millis(millis).map_or_else(|| fault("no such time"), Ok)?;
        survives(probe, field, Value::Instant(moment), false).await?;
    }
    Ok(())
}

async fn several_options_are_kept(probe: Probe<'_>) -> Judgement {
    let field = probe.field_of(&[FieldType::MultiChoice])?;
    let options = field.options.iter().take(2).map(|option| option.value.clone()).collect();
    survives(probe, field, Value::MultiChoice(options), false).await
}

async fn truths_are_kept(probe: Probe<'_>) -> Judgement {
    let field = probe.field_of(&[FieldType::Boolean])?;
    survives(probe, field, Value::Boolean(true), false).await?;
    survives(probe, field, Value::Boolean(false), false).await
}
