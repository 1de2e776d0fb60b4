//! Credentials, secrets, and a CRM that does not answer.

use abmatic_sync_core::connector::request::{FindRequest, Read, WriteOutcome};
use abmatic_sync_core::error::{Error, ErrorKind};
use abmatic_sync_core::model::connection::Connection;
use secrecy::ExposeSecret;

use crate::conformance::check::{Check, Judgement, check, ensure, fault, not_applicable};
use crate::conformance::probe::Probe;

const CREDENTIALS: &str =
    "a host asks its customer to authorise again only when it is told so; else runs fail for ever";
const SAY_UNAUTHORIZED: &str = "map the CRM's answer to a wrong or expired token to `ErrorKind::Unauthorized`";
const NOTHING_SENT: &str =
    "what surely never arrived is sent again; what may have arrived is verified first, at a cost";

pub(crate) const CHECKS: &[Check] = &[
    check!(
        Trust,
        Connector,
        debug_shows_no_secret,
        "hosts log connections and connectors; a token in a log is a token lost",
        "keep secrets in `SecretString`, and drop them from `Debug`"
    ),
    check!(Trust, Resource, a_read_with_bad_credentials_is_unauthorized, CREDENTIALS, SAY_UNAUTHORIZED),
    check!(Trust, Resource, a_lookup_with_bad_credentials_is_unauthorized, CREDENTIALS, SAY_UNAUTHORIZED),
    check!(Trust, Resource, a_write_with_bad_credentials_is_unauthorized, CREDENTIALS, SAY_UNAUTHORIZED),
    check!(
        Trust,
        Connector,
        a_read_that_nobody_answers_can_be_retried,
        "a run waits and goes on only after errors that are retryable",
        "map failed connections to `ErrorKind::Unavailable`"
    ),
    check!(
        Trust,
        Connector,
        a_write_that_never_left_is_not_ambiguous,
        NOTHING_SENT,
        "map a connection that could not be made to `ErrorKind::Unavailable`, and only what was cut off to `Ambiguous`"
    ),
];

async fn debug_shows_no_secret(probe: Probe<'_>) -> Judgement {
    let subject = probe.subject();
    let secret = subject.on.credentials.current().await?;
    // What was used may be remembered.
    probe.subject().connector.read(&subject.on, probe.request(Read::Ids(Vec::new()))).await?;
    let mut shown = vec![format!("{:?}", subject.on), format!("{:#?}", subject.connector)];
    if let Some(refused) = &subject.refused {
        let secret = refused.credentials.current().await?;
        let error = subject.connector.read(refused, probe.request(Read::All)).await.err();
        let texts = error.map(|error| format!("{error} {error:?}"));
        ensure!(!texts.is_some_and(|text| text.contains(secret.expose_secret())), "an error shows the token");
    }
    shown.retain(|text| text.contains(secret.expose_secret()));
    ensure!(shown.is_empty(), "the token is shown by `Debug`");
    Ok(())
}

fn refused(probe: Probe<'_>) -> Judgement<&Connection> {
    probe.subject().refused.as_ref().map_or_else(|| not_applicable("no connection with bad credentials is given"), Ok)
}

fn unauthorized<T>(answer: Result<T, Error>) -> Judgement {
    match answer {
        Ok(_) => fault("it went well"),
        Err(error) => {
            ensure!(error.kind() == ErrorKind::Unauthorized, "the error is {:?}: {error}", error.kind());
            Ok(())
        }
    }
}

async fn a_read_with_bad_credentials_is_unauthorized(probe: Probe<'_>) -> Judgement {
    unauthorized(probe.subject().connector.read(refused(probe)?, probe.request(Read::All)).await)
}

async fn a_lookup_with_bad_credentials_is_unauthorized(probe: Probe<'_>) -> Judgement {
    let on = refused(probe)?;
    probe.key_field()?;
    let (_, tag) = probe.sample();
    let request = FindRequest::new(probe.resource(), vec![probe.key_value(&tag).to_string()]);
    unauthorized(probe.subject().connector.find(on, request).await)
}

async fn a_write_with_bad_credentials_is_unauthorized(probe: Probe<'_>) -> Judgement {
    let on = refused(probe)?;
    let (fields, _) = probe.sample();
    let answer = probe.subject().connector.write(on, probe.resource(), vec![probe.create(fields)]).await;
    unauthorized(of_batch(answer))
}

/// A batch of one fails as a whole or by its outcome.
fn of_batch(answer: Result<Vec<WriteOutcome>, Error>) -> Result<(), Error> {
    match answer?.pop() {
        Some(WriteOutcome::Failed(error)) => Err(error),
        _ => Ok(()),
    }
}

fn unreachable(probe: Probe<'_>) -> Judgement<&Connection> {
    probe.subject().unreachable.as_ref().map_or_else(|| not_applicable("no connection to nobody is given"), Ok)
}

fn never_arrived<T>(answer: Result<T, Error>) -> Judgement {
    match answer {
        Ok(_) => fault("it went well"),
        Err(error) => {
            let kind = error.kind();
            ensure!(kind == ErrorKind::Unavailable && error.is_retryable(), "the error is {kind:?}: {error}");
            Ok(())
        }
    }
}

async fn a_read_that_nobody_answers_can_be_retried(probe: Probe<'_>) -> Judgement {
    never_arrived(probe.subject().connector.read(unreachable(probe)?, probe.request(Read::All)).await)
}

async fn a_write_that_never_left_is_not_ambiguous(probe: Probe<'_>) -> Judgement {
    let on = unreachable(probe)?;
    let (fields, _) = probe.sample();
    let answer = probe.subject().connector.write(on, probe.resource(), vec![probe.create(fields)]).await;
    never_arrived(of_batch(answer))
}
