//! What a refusal of a token endpoint means: one table for all CRMs, since their words do not collide.

use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind};
use oauth2::RequestTokenError;
use oauth2::basic::BasicErrorResponse;

use crate::oauth::bridge::Lost;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// The app's own settings are wrong: its customers are not to be troubled.
    App,
    /// The user has to consent again.
    Dead,
    /// Later it may work.
    Later,
}

/// The words of `error`, and how its description begins where that matters; the first that fits counts.
const TABLE: &[(&str, &str, Verdict)] = &[
    // Salesforce: two refreshes at once.
    ("invalid_grant", "token request is already being processed", Verdict::Later),
    // Salesforce, of assertions: the administrator has not let the user's app in, or the app's certificate is another.
    ("invalid_grant", "invalid assertion", Verdict::App),
    ("invalid_grant", "user hasn't approved this consumer", Verdict::App),
    // RFC 6749 5.2: expired, revoked, rotated away, or of another server.
    ("invalid_grant", "", Verdict::Dead),
    // HubSpot: the account is deleted.
    ("access_denied", "", Verdict::Dead),
    // Salesforce: "Authorization Errors".
    ("inactive_user", "", Verdict::Dead),
    ("inactive_org", "", Verdict::Dead),
    ("rate_limit_exceeded", "", Verdict::Later),
    ("server_error", "", Verdict::Later),
    ("temporarily_unavailable", "", Verdict::Later),
    ("unknown_error", "", Verdict::Later),
    // RFC 6749 5.2, and Salesforce's spelling of it.
    ("invalid_client", "", Verdict::App),
    ("invalid_client_id", "", Verdict::App),
    ("invalid_client_credentials", "", Verdict::App),
    ("invalid_request", "", Verdict::App),
    ("invalid_scope", "", Verdict::App),
    ("redirect_uri_mismatch", "", Verdict::App),
    ("unauthorized_client", "", Verdict::App),
    ("unsupported_grant_type", "", Verdict::App),
];

/// The error for a token request that failed. No token is in it: bodies are left out.
pub(super) fn error(title: &str, error: RequestTokenError<Lost, BasicErrorResponse>) -> Error {
    match error {
        RequestTokenError::ServerResponse(said) => {
            refused(title, said.error().as_ref(), said.error_description().map_or("", String::as_str))
        }
        RequestTokenError::Request(lost) => unreachable_now(title, lost),
        RequestTokenError::Parse(problem, _) => unreadable(title, &format!("at \"{}\"", problem.path())),
        RequestTokenError::Other(problem) => unreadable(title, &problem),
    }
}

/// The error for a request that did not get through.
pub(super) fn unreachable_now(title: &str, lost: Lost) -> Error {
    let message = format!("{title} could not be asked for a token: {lost}");
    Error::new(ErrorKind::Unavailable, ErrorCode::ServerUnavailable, message).caused_by(lost)
}

pub(super) fn unreadable(title: &str, problem: &str) -> Error {
    let message = format!("{title}'s answer to a token request cannot be read: {problem}");
    Error::new(ErrorKind::Unavailable, ErrorCode::InvalidAnswer, message)
}

/// The error for a refusal in these words.
pub(super) fn refused(title: &str, word: &str, description: &str) -> Error {
    let fits = |row: &&(&str, &str, Verdict)| row.0 == word && description.starts_with(row.1);
    let verdict = TABLE.iter().find(fits).map_or(Verdict::Later, |row| row.2);
    let said = if description.is_empty() { word.to_owned() } else { format!("{word}: {}", one_line(description)) };
    match verdict {
        Verdict::App => {
            let message =
                format!("{title} does not accept this app ({said}): check its id, secret, scopes and callback");
            Error::invalid(ErrorCode::InvalidSettings, message)
        }
        Verdict::Dead => {
            let message = format!("{title} has ended the authorisation ({said}): a user has to connect it again");
            Error::new(ErrorKind::Unauthorized, ErrorCode::InvalidSession, message)
        }
        Verdict::Later => {
            let message = format!("{title} gives no token at the moment ({said})");
            Error::new(ErrorKind::Unavailable, ErrorCode::ServerUnavailable, message)
        }
    }
}

/// A text of others, as one bounded line.
pub(super) fn one_line(text: &str) -> String {
    const LENGTH_MAX: usize = 200;
    text.chars().map(|char| if char.is_control() { ' ' } else { char }).take(LENGTH_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_ended_authorisation_troubles_the_user() {
        for (word, description, kind) in [
            ("invalid_grant", "expired access/refresh token", ErrorKind::Unauthorized),
            ("invalid_grant", "refresh token is invalid, expired or revoked", ErrorKind::Unauthorized),
            ("invalid_grant", "token request is already being processed", ErrorKind::Unavailable),
            ("access_denied", "missing or unknown hub id", ErrorKind::Unauthorized),
            ("inactive_user", "user is inactive", ErrorKind::Unauthorized),
            ("invalid_client", "invalid client credentials", ErrorKind::Invalid),
            ("invalid_client_id", "client identifier invalid", ErrorKind::Invalid),
            ("rate_limit_exceeded", "login rate exceeded", ErrorKind::Unavailable),
            ("something_new", "", ErrorKind::Unavailable),
        ] {
            assert_eq!(refused("CRM", word, description).kind(), kind, "{word} {description}");
        }
    }
}
