//! What a single create or update does, and how its refusal is told.

use abmatic_sync_core::connector::request::WriteOutcome;
use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind};
use abmatic_sync_core::ids::FieldName;
use abmatic_sync_core::model::schema::FieldType;
use abmatic_sync_core::model::value::Value;

use crate::conformance::check::{Check, Judgement, check, ensure, fault, not_applicable};
use crate::conformance::checks::read::unknown_id;
use crate::conformance::probe::{Probe, failed, update, value};

const SET_ASIDE: &str = "a record is set aside or tried again by the kind of its error, and people mend it by its code";

pub(crate) const CHECKS: &[Check] = &[
    check!(
        Write,
        Resource,
        what_was_written_is_read,
        "what a push sent must be there",
        "write every field of the request, or name in `Written.unwritten` what the record cannot hold"
    ),
    check!(
        Write,
        Resource,
        an_update_changes_only_its_fields,
        "a value that nobody changed would be lost",
        "send only the fields of the update"
    ),
    check!(
        Write,
        Resource,
        null_clears_a_field,
        "a cleared value would come back with the next sync",
        "send the CRM's own way to empty a field where the value is null"
    ),
    check!(
        Write,
        Resource,
        an_update_of_a_deleted_record_is_not_found,
        SET_ASIDE,
        "map the refusal to `ErrorKind::NotFound`"
    ),
    check!(
        Write,
        Resource,
        a_missing_required_field_is_invalid,
        SET_ASIDE,
        "map the refusal to `ErrorKind::Invalid`, with `RequiredFieldMissing` or the field's name"
    ),
    check!(
        Write,
        Resource,
        an_unknown_field_is_not_written_in_silence,
        "a deleted field would swallow every edit",
        "map the refusal to `ErrorKind::Invalid` with `InvalidField`, or name the field in `Written.unwritten`"
    ),
    check!(
        Write,
        Resource,
        an_error_tells_which_operation_failed,
        "an error without its place helps nobody",
        "name the operation by `Error::at`"
    ),
];

async fn what_was_written_is_read(probe: Probe<'_>) -> Judgement {
    let made = probe.make().await?;
    let record = probe.held(&made.id).await?;
    for field in probe.exercised() {
        let Some(sent) = made.fields.get(field.name.as_str()) else { continue };
        if made.unwritten.contains(&field.name) {
            continue;
        }
        let held = value(&record, &field.name);
        let same = held.same_as(sent) || is_cased(field.field_type, held, sent);
        ensure!(same, "{:?} holds {held:?}, {sent:?} was sent", field.name.as_str());
    }
    Ok(())
}

/// Whether an address is the same but for its case and scheme: CRMs keep both as they like.
fn is_cased(field_type: FieldType, held: &Value, sent: &Value) -> bool {
    let plain = |value: &Value| {
        value.to_string().to_lowercase().trim_end_matches('/').replace("https://", "").replace("http://", "")
    };
    matches!(field_type, FieldType::Email | FieldType::Url) && plain(held) == plain(sent)
}

async fn an_update_changes_only_its_fields(probe: Probe<'_>) -> Judgement {
    let text = &probe.text_field()?.name;
    let id = probe.make().await?.id;
    let before = probe.held(&id).await?;
    let tag = probe.sample().1;
    probe.set(&id, text, tag.as_str().into()).await?;
    let after = probe.held(&id).await?;
    ensure!(value(&after, text).to_string() == tag, "the edit is not there: {:?}", value(&after, text));
    for field in probe.exercised().filter(|field| field.name != *text) {
        let (old, new) = (value(&before, &field.name), value(&after, &field.name));
        ensure!(old == new, "{:?} was {old:?} and is {new:?}", field.name.as_str());
    }
    Ok(())
}

async fn null_clears_a_field(probe: Probe<'_>) -> Judgement {
    let made = probe.make().await?;
    let key = probe.key();
    let is_bound = |name: &FieldName| probe.offer.schema.required_any.iter().any(|group| group.contains(name));
    let mut free = probe.exercised().filter(|field| {
        let sent = made.fields.get(field.name.as_str());
        let is_plain =
            matches!(field.field_type, FieldType::Text | FieldType::Integer | FieldType::Decimal | FieldType::Date);
        is_plain
            && sent.is_some()
            && !field.required_on_create
            && Some(&field.name) != key.as_ref()
            && !is_bound(&field.name)
    });
    let Some(field) = free.next() else { return not_applicable("no field may be empty") };
    probe.set(&made.id, &field.name, Value::Null).await?;
    let record = probe.held(&made.id).await?;
    let held = value(&record, &field.name);
    ensure!(held.is_blank(), "{:?} still holds {held:?}", field.name.as_str());
    Ok(())
}

async fn an_update_of_a_deleted_record_is_not_found(probe: Probe<'_>) -> Judgement {
    let error = refusal(probe).await?;
    ensure!(error.kind() == ErrorKind::NotFound, "the error is {:?}: {error}", error.kind());
    ensure!(!error.is_retryable() && !error.stops_run(), "the error stops the run: {error}");
    Ok(())
}

async fn refusal(probe: Probe<'_>) -> Judgement<Error> {
    let gone = unknown_id(probe).await?;
    let write = update(&gone, [(probe.text_field()?.name.clone(), "late".into())]);
    failed(probe.write_one(write).await?, "an update of a deleted record")
}

async fn a_missing_required_field_is_invalid(probe: Probe<'_>) -> Judgement {
    let required = probe.offer.schema.fields.iter().filter(|field| field.required_on_create);
    let required: Vec<&FieldName> = required.map(|field| &field.name).collect();
    if required.is_empty() {
        return not_applicable("no field is required");
    }
    let mut fields = probe.full_sample().await?;
    for name in required {
        let Some(held) = fields.remove(name.as_str()) else { continue };
        let error = failed(probe.write_one(probe.create(fields.clone())).await?, &format!("a create without {name}"))?;
        let is_named = error.fields().iter().any(|field| field == name.as_str());
        let says_so =
            error.kind() == ErrorKind::Invalid && (is_named || error.code() == ErrorCode::RequiredFieldMissing);
        ensure!(says_so, "without {name} the error is {:?}: {error}", error.kind());
        fields.insert(name.clone(), held);
    }
    Ok(())
}

async fn an_unknown_field_is_not_written_in_silence(probe: Probe<'_>) -> Judgement {
    let name = FieldName::from("conformance_no_such_field");
    let id = probe.make().await?.id;
    match probe.write_one(update(&id, [(name.clone(), "lost".into())])).await? {
        WriteOutcome::Failed(error) => {
            let says_so = (error.kind(), error.code()) == (ErrorKind::Invalid, ErrorCode::InvalidField);
            ensure!(says_so, "the error is {:?}: {error}", error.kind());
        }
        WriteOutcome::Written(written) => {
            ensure!(written.unwritten.contains(&name), "the update is said to be written");
        }
        other => return fault(format!("the outcome is {other:?}")),
    }
    probe.held(&id).await.map(|_| ())
}

async fn an_error_tells_which_operation_failed(probe: Probe<'_>) -> Judgement {
    let error = refusal(probe).await?;
    let text = error.to_string();
    ensure!(!error.message().trim().is_empty(), "the error has no message: {text}");
    let name = probe.subject().connector.descriptor().name;
    ensure!(text.starts_with(name), "{text:?} does not begin with {name:?} and the operation");
    Ok(())
}
