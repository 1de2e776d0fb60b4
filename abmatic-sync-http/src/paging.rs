//! Cursor pages with a repeat guard: a page that comes again ends the read with an error, never with an endless loop.

use abmatic_sync_core::connector::request::PageCursor;
use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// The place in a read, with just enough of the way behind it to notice a circle of any length.
///
/// It keeps nothing between calls but its own text, so a resumed run is guarded as well. Brent's method: the mark moves up
/// at distances that double, and a circle sooner or later comes back to it.
///
/// ```
/// use abmatic_sync_http::paging::Trail;
/// let first = Trail::start("a".to_owned());
/// let second = Trail::parse(&first.to_cursor()).unwrap().step("b".to_owned()).unwrap();
/// assert_eq!(second.after(), "b");
/// assert!(second.step("b".to_owned()).is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trail {
    after: String,
    #[serde(rename = "m")]
    mark: String,
    #[serde(rename = "s")]
    steps: u64,
    #[serde(rename = "p")]
    power: u64,
}

impl Trail {
    /// The place after the first page.
    pub fn start(after: String) -> Self {
        Self { mark: after.clone(), after, steps: 0, power: 1 }
    }

    /// The CRM's own cursor.
    pub fn after(&self) -> &str {
        &self.after
    }

    /// Goes on to the CRM's next cursor.
    ///
    /// # Errors
    /// [`ErrorCode::RepeatedPage`] when the way has led back.
    pub fn step(mut self, after: String) -> Result<Self> {
        if after == self.after || after == self.mark {
            return Err(repeated(&after));
        }
        if self.steps == self.power {
            self.mark.clone_from(&self.after);
            self.power = self.power.saturating_mul(2);
            self.steps = 0;
        }
        self.steps += 1;
        self.after = after;
        Ok(self)
    }

    /// The place as text that outlives the process.
    pub fn to_cursor(&self) -> PageCursor {
        let Self { after, mark, steps, power } = self;
        PageCursor::new(serde_json::json!({"after": after, "m": mark, "s": steps, "p": power}).to_string())
    }

    /// Reads [`Trail::to_cursor`] back.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidRequest`] for a cursor of another connector or read.
    pub fn parse(cursor: &PageCursor) -> Result<Self> {
        serde_json::from_str(cursor.as_str()).map_err(|error| {
            Error::invalid(ErrorCode::InvalidRequest, "the page cursor is not one of this read").caused_by(error)
        })
    }
}

/// The place after a page: `None` when it was the last one.
///
/// # Errors
/// [`ErrorCode::RepeatedPage`] when the CRM's cursor has led back.
pub fn advance(trail: Option<Trail>, after: Option<String>) -> Result<Option<Trail>> {
    match (trail, after) {
        (_, None) => Ok(None),
        (None, Some(after)) => Ok(Some(Trail::start(after))),
        (Some(trail), Some(after)) => trail.step(after).map(Some),
    }
}

/// The error for a page that came again.
pub fn repeated(place: &str) -> Error {
    let message = format!("the page after {place:?} came again");
    Error::new(ErrorKind::Undocumented, ErrorCode::RepeatedPage, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circles_of_any_length_are_noticed_and_straight_ways_are_not() {
        for length in 1..40_u64 {
            let mut trail = Trail::start("start".to_owned());
            let caught = (0..10 * length + 10).find_map(|step| {
                let moved = Trail::parse(&trail.to_cursor()).unwrap().step((step % length).to_string());
                match moved {
                    Ok(next) => {
                        trail = next;
                        None
                    }
                    Err(error) => Some(error),
                }
            });
            assert_eq!(caught.map(|error| error.code()), Some(ErrorCode::RepeatedPage), "circle of {length}");
        }
        let mut trail = Trail::start("start".to_owned());
        for step in 0..1000 {
            trail = trail.step(step.to_string()).unwrap();
        }
    }
}
