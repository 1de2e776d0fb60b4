//! Creates whose answers are lost: nobody knows, then one looks, and there is one record.

use abmatic_sync_core::connector::request::{CreateInDoubt, VerifyRequest, Write, WriteOutcome};
use abmatic_sync_core::error::{Error, ErrorKind};
use abmatic_sync_core::ids::IntentId;
use abmatic_sync_core::model::fields::Fields;
use chrono::{DateTime, Utc};

use crate::conformance::check::{Check, Judgement, check, ensure, fault, not_applicable};
use crate::conformance::lossy::Lossy;
use crate::conformance::polls::beside;
use crate::conformance::probe::{Probe, eventually, value};

pub(crate) const CHECKS: &[Check] = &[
    check!(
        Write,
        Resource,
        a_create_whose_answer_is_lost_is_ambiguous,
        "what may have been done and is called undone is sent again, and makes a second record",
        "say `ErrorKind::Ambiguous` of a write that was cut off, or find out what became of it"
    ),
    check!(
        Write,
        Resource,
        a_create_whose_answer_was_lost_is_verified,
        "what was done and is not found is sent again, and makes a second record",
        "look in `verify` for the intent, or for what was sent"
    ),
];

/// A create that was sent, and what is known of it.
struct Sent {
    intent: IntentId,
    announced: DateTime<Utc>,
    fields: Fields,
    outcome: Result<WriteOutcome, Error>,
}

async fn send(probe: Probe<'_>) -> Judgement<Sent> {
    let (intent, announced) = (probe.intent(), probe.subject().clock.now());
    let fields = probe.full_sample().await?;
    let create = Write::Create { intent: intent.clone(), fields: fields.clone() };
    let answer = lose(probe, vec![create]).await?;
    let outcome = match answer.map(|mut outcomes| outcomes.pop()) {
        Ok(Some(outcome)) => Ok(outcome),
        Ok(None) => return fault("the write had no outcome"),
        Err(error) => Err(error),
    };
    Ok(Sent { intent, announced, fields, outcome })
}

/// Writes over a connection that loses the answers.
async fn lose(probe: Probe<'_>, writes: Vec<Write>) -> Judgement<Result<Vec<WriteOutcome>, Error>> {
    let subject = probe.subject();
    if let Some(losing) = &subject.losing {
        return Ok(subject.connector.write(losing, probe.resource(), writes).await);
    }
    let Some(base) = &subject.on.base_url else { return not_applicable("no connection that loses answers is given") };
    let proxy = match Lossy::before(base).await {
        Ok(Some(proxy)) => proxy,
        Ok(None) => return not_applicable("answers can be lost over plain HTTP only"),
        Err(error) => return not_applicable(format!("no proxy can be started: {error}")),
    };
    let Some(url) = proxy.url(base) else { return not_applicable("no proxy can be started") };
    let losing = subject.on.metered().with_base_url(url);
    let write = subject.connector.write(&losing, probe.resource(), writes);
    Ok(beside(proxy.serve(), write).await)
}

async fn a_create_whose_answer_is_lost_is_ambiguous(probe: Probe<'_>) -> Judgement {
    let sent = send(probe).await?;
    match sent.outcome {
        Ok(WriteOutcome::Written(written)) => {
            probe.stand.note_made(probe.resource(), written.id.clone());
            probe.held(&written.id).await.map(|_| ())
        }
        Ok(WriteOutcome::Failed(error)) | Err(error) => {
            ensure!(error.kind() == ErrorKind::Ambiguous, "the error is {:?}: {error}", error.kind());
            Ok(())
        }
        Ok(other) => fault(format!("the outcome is {other:?}")),
    }
}

async fn a_create_whose_answer_was_lost_is_verified(probe: Probe<'_>) -> Judgement {
    let sent = send(probe).await?;
    let text = &probe.text_field()?.name;
    eventually!(probe, {
        let doubt = CreateInDoubt::new(sent.intent.clone(), sent.announced, sent.fields.clone());
        let request = VerifyRequest::new(probe.resource(), vec![doubt]);
        let found = probe.subject().connector.verify(&probe.subject().on, request).await?.pop().flatten();
        let Some(found) = found else { return fault("the record that was made is not found") };
        probe.stand.note_made(probe.resource(), found.id.clone());
        let record = probe.held(&found.id).await?;
        let (held, wanted) = (value(&record, text), sent.fields.get(text.as_str()));
        ensure!(wanted == Some(held), "the record that is found holds {held:?}, not {wanted:?}");
        Ok(())
    })
}
