//! Conditions that the CRM evaluates hold of the same records as they do here.

use std::collections::BTreeSet;

use abmatic_sync_core::connector::request::{Pushdown, Read};
use abmatic_sync_core::filter::check::check as fit;
use abmatic_sync_core::filter::eval::holds;
use abmatic_sync_core::filter::expr::{Comparison, Expr, field, not};
use abmatic_sync_core::ids::{FieldName, RemoteId};
use abmatic_sync_core::model::schema::FieldType;
use abmatic_sync_core::model::value::Value;

use crate::conformance::check::{Check, Judgement, check, ensure, not_applicable};
use crate::conformance::checks::population::{filtered_field, population, text};
use crate::conformance::probe::{Probe, eventually};

const SCOPE: &str =
    "a filter is a run's scope: where the CRM reads it differently, records are lost or come in by mistake";
const TRANSLATE: &str = "translate the operator as `filter::eval` reads it, or answer `Pushdown::Here`";
const BLANK: &str =
    "send the CRM's own test for a blank value: a blank equals nothing, and is not equal to every value";
const ESCAPE: &str = "quote and escape values as the CRM's query language wants it; never put them in as they are";

pub(crate) const CHECKS: &[Check] = &[
    check!(Filters, Resource, equal_finds_the_text, SCOPE, TRANSLATE),
    check!(Filters, Resource, equal_has_no_case, SCOPE, "compare without case, or answer `Pushdown::Here`"),
    check!(Filters, Resource, not_equal_finds_blanks_too, SCOPE, BLANK),
    check!(Filters, Resource, in_finds_each_of_several, SCOPE, TRANSLATE),
    check!(Filters, Resource, not_in_finds_blanks_too, SCOPE, BLANK),
    check!(Filters, Resource, contains_finds_what_is_inside, SCOPE, TRANSLATE),
    check!(Filters, Resource, starts_with_finds_beginnings_only, SCOPE, TRANSLATE),
    check!(Filters, Resource, null_finds_blanks, SCOPE, BLANK),
    check!(Filters, Resource, not_null_finds_the_rest, SCOPE, BLANK),
    check!(Filters, Resource, and_narrows, SCOPE, TRANSLATE),
    check!(Filters, Resource, or_widens, SCOPE, TRANSLATE),
    check!(Filters, Resource, and_of_ors_nests, SCOPE, "put brackets around what stands inside another condition"),
    check!(Filters, Resource, not_turns_a_group_round, SCOPE, "turn each part of a group round, blanks included"),
    check!(Filters, Resource, numbers_are_ordered_as_numbers, SCOPE, "compare numbers as numbers, not as texts"),
    check!(Filters, Resource, numbers_are_equal_by_value, SCOPE, TRANSLATE),
    check!(Filters, Resource, days_are_ordered, SCOPE, "send days in the CRM's own spelling and time zone"),
    check!(Filters, Resource, a_choice_equals_its_option, SCOPE, TRANSLATE),
    check!(Filters, Resource, a_choice_differs_from_other_options, SCOPE, BLANK),
    check!(Filters, Resource, a_key_is_filtered_by, SCOPE, TRANSLATE),
    check!(Filters, Resource, wildcards_are_ordinary_letters, SCOPE, ESCAPE),
    check!(
        Filters,
        Resource,
        quotes_do_not_end_a_value,
        "a value that becomes part of the query reads what nobody asked for",
        ESCAPE
    ),
    check!(
        Filters,
        Resource,
        what_nothing_fits_finds_nothing,
        "an empty scope that reads as everything syncs the whole CRM",
        "answer an empty page where the CRM finds nothing"
    ),
];

/// The condition as the engine would send it, where the CRM evaluates it.
pub(crate) fn on_the_server(probe: Probe<'_>, filter: &Expr) -> Judgement<Expr> {
    let fitted = fit(filter, &probe.offer.schema)?;
    match probe.subject().connector.pushdown(probe.resource(), &fitted, &probe.offer.schema) {
        Pushdown::Server => Ok(fitted),
        Pushdown::Here(why) => not_applicable(format!("evaluated here: {why}")),
        other => not_applicable(format!("{other:?}")),
    }
}

/// Reads by a condition, and holds it against all records here: the same ones have to come, and some of them at least.
async fn agrees_on(probe: Probe<'_>, filter: Expr, least: usize) -> Judgement {
    let filter = on_the_server(probe, &filter)?;
    eventually!(probe, {
        let asked = |read| probe.request(read).with_fields(filter.fields());
        let there = probe.read(asked(Read::Filter(filter.clone()))).await?;
        let there: BTreeSet<RemoteId> = there.into_iter().map(|record| record.id).collect();
        let all = probe.read(asked(Read::All)).await?.into_iter();
        let here: BTreeSet<RemoteId> =
            all.filter(|record| holds(&filter, &record.fields)).map(|record| record.id).collect();
        let (missing, extra) = (here.difference(&there).count(), there.difference(&here).count());
        let held = here.len();
        ensure!(missing + extra == 0, "{filter}: of {held} records {missing} did not come, {extra} came in excess");
        ensure!(held >= least, "{filter} holds of {held} records, the suite made {least}");
        Ok(())
    })
}

/// The text field, and texts of the population.
async fn texts<const N: usize>(probe: Probe<'_>, starts: [&str; N]) -> Judgement<(FieldName, [String; N])> {
    let tag = population(probe).await?;
    Ok((filtered_field(probe)?.name.clone(), starts.map(|start| text(start, tag))))
}

async fn equal_finds_the_text(probe: Probe<'_>) -> Judgement {
    let (name, [alpha]) = texts(probe, ["Alpha"]).await?;
    agrees_on(probe, field(name).equals(alpha), 1).await
}

async fn equal_has_no_case(probe: Probe<'_>) -> Judgement {
    let (name, [alpha]) = texts(probe, ["Alpha"]).await?;
    agrees_on(probe, field(name).equals(alpha.to_uppercase()), 1).await
}

async fn not_equal_finds_blanks_too(probe: Probe<'_>) -> Judgement {
    let (name, [alpha]) = texts(probe, ["Alpha"]).await?;
    agrees_on(probe, field(name).not_equals(alpha), 7).await
}

async fn in_finds_each_of_several(probe: Probe<'_>) -> Judgement {
    let (name, several) = texts(probe, ["Alpha", "beta", "nobody"]).await?;
    agrees_on(probe, field(name).is_in(several), 2).await
}

async fn not_in_finds_blanks_too(probe: Probe<'_>) -> Judgement {
    let (name, several) = texts(probe, ["Alpha", "beta"]).await?;
    agrees_on(probe, not(field(name).is_in(several)), 6).await
}

async fn contains_finds_what_is_inside(probe: Probe<'_>) -> Judgement {
    let (name, [inside]) = texts(probe, ["pine"]).await?;
    agrees_on(probe, field(name).contains(inside), 1).await
}

async fn starts_with_finds_beginnings_only(probe: Probe<'_>) -> Judgement {
    let (name, _) = texts(probe, []).await?;
    agrees_on(probe, field(name.clone()).starts_with("ALP"), 2).await?;
    agrees_on(probe, field(name).starts_with("pine"), 0).await
}

async fn null_finds_blanks(probe: Probe<'_>) -> Judgement {
    let (name, _) = texts(probe, []).await?;
    agrees_on(probe, field(name).is_null(), 0).await
}

async fn not_null_finds_the_rest(probe: Probe<'_>) -> Judgement {
    let (name, _) = texts(probe, []).await?;
    agrees_on(probe, field(name).is_not_null(), 8).await
}

async fn and_narrows(probe: Probe<'_>) -> Judgement {
    let (name, [alpha, beta]) = texts(probe, ["Alpha", "beta"]).await?;
    let either = field(name.clone()).is_in([alpha, beta.clone()]);
    agrees_on(probe, either.and(field(name).not_equals(beta)), 1).await
}

async fn or_widens(probe: Probe<'_>) -> Judgement {
    let (name, [alpha, beta]) = texts(probe, ["Alpha", "beta"]).await?;
    agrees_on(probe, field(name.clone()).equals(alpha).or(field(name).equals(beta)), 2).await
}

async fn and_of_ors_nests(probe: Probe<'_>) -> Judgement {
    let (name, [alpha, beta, alpine]) = texts(probe, ["Alpha", "beta", "Alpine"]).await?;
    let one = |text: &str| field(name.clone()).equals(text);
    let nested = one(&alpha).or(one(&beta)).and(one(&alpha).or(one(&alpine)));
    agrees_on(probe, nested, 1).await
}

async fn not_turns_a_group_round(probe: Probe<'_>) -> Judgement {
    let (name, [alpha, beta]) = texts(probe, ["Alpha", "beta"]).await?;
    agrees_on(probe, not(field(name.clone()).equals(alpha).or(field(name).equals(beta))), 6).await
}

async fn numbers_are_ordered_as_numbers(probe: Probe<'_>) -> Judgement {
    let number = &probe.field_of(&[FieldType::Integer, FieldType::Decimal])?.name;
    use Comparison::{Greater, GreaterOrEqual, Less, LessOrEqual};
    for (how, bound, least) in [(Greater, 30, 4), (GreaterOrEqual, 30, 5), (Less, 20, 2), (LessOrEqual, 20, 3)] {
        agrees_on(probe, field(number.clone()).compare(how, bound), least).await?;
    }
    Ok(())
}

async fn numbers_are_equal_by_value(probe: Probe<'_>) -> Judgement {
    let number = &probe.field_of(&[FieldType::Integer, FieldType::Decimal])?.name;
    agrees_on(probe, field(number.clone()).equals(50), 1).await?;
    agrees_on(probe, field(number.clone()).not_equals(50), 7).await
}

async fn days_are_ordered(probe: Probe<'_>) -> Judgement {
    let day = probe.field_of(&[FieldType::Date])?;
    let made = probe.make().await?;
    let Some(own @ Value::Date(_)) = made.fields.get(day.name.as_str()).cloned() else {
        return not_applicable("no day is written");
    };
    for how in [Comparison::GreaterOrEqual, Comparison::Less, Comparison::Equal] {
        agrees_on(probe, field(day.name.clone()).compare(how, own.clone()), 0).await?;
    }
    Ok(())
}

/// A choice, and the option that a record has.
async fn choice(probe: Probe<'_>) -> Judgement<(FieldName, Value)> {
    let choice = probe.exercised().find(|field| field.field_type == FieldType::Choice);
    let Some(choice) = choice else { return not_applicable("no choice is mapped") };
    let made = probe.make().await?;
    Ok((choice.name.clone(), made.fields.get(choice.name.as_str()).cloned().unwrap_or_default()))
}

async fn a_choice_equals_its_option(probe: Probe<'_>) -> Judgement {
    let (name, own) = choice(probe).await?;
    agrees_on(probe, field(name).equals(own), 1).await
}

async fn a_choice_differs_from_other_options(probe: Probe<'_>) -> Judgement {
    let (name, own) = choice(probe).await?;
    agrees_on(probe, field(name).not_equals(own), 0).await
}

async fn a_key_is_filtered_by(probe: Probe<'_>) -> Judgement {
    let key = probe.key_field()?.name.clone();
    let made = probe.make().await?;
    let own = made.fields.get(key.as_str()).cloned().unwrap_or_default();
    agrees_on(probe, field(key).equals(own), 1).await
}

async fn wildcards_are_ordinary_letters(probe: Probe<'_>) -> Judgement {
    let (name, [percent, underscore]) = texts(probe, ["100% sure", "a_b"]).await?;
    agrees_on(probe, field(name.clone()).contains(percent), 1).await?;
    agrees_on(probe, field(name).contains(underscore), 1).await
}

async fn quotes_do_not_end_a_value(probe: Probe<'_>) -> Judgement {
    let (name, [quoted]) = texts(probe, [r#"O'N "q" \ ) OR 1=1--"#]).await?;
    agrees_on(probe, field(name.clone()).equals(quoted), 1).await?;
    for attack in
        ["' OR '1'='1", r#"" OR "1"="1"#, r"\' OR Name != \'", "x'; DROP TABLE accounts; --", "%27 OR 1=1", "a&b=c#d"]
    {
        agrees_on(probe, field(name.clone()).equals(attack), 0).await?;
    }
    Ok(())
}

async fn what_nothing_fits_finds_nothing(probe: Probe<'_>) -> Judgement {
    let (name, [nobody]) = texts(probe, ["nobody"]).await?;
    let filter = on_the_server(probe, &field(name).equals(nobody))?;
    let records = probe.read_all(Read::Filter(filter)).await?;
    ensure!(records.is_empty(), "{} records came", records.len());
    Ok(())
}
