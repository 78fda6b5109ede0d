//! A request's id and its W3C trace context (<https://www.w3.org/TR/trace-context/>). Never carries
//! anything about the person.

use axum::http::HeaderMap;
use kernel::World;

/// The id a person can read to a help desk and an operator can find in the log; a request
/// extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(pub String);

tokio::task_local! {
    /// The trace of the work that runs now.
    static CURRENT: Trace;
}

/// The header of a trace.
pub const HEADER: &str = "traceparent";
/// What others said of the trace; worth nothing without it.
pub const STATE: &str = "tracestate";

/// The trace a request belongs to; a request extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// 32 hex digits, the caller's when they sent one.
    pub trace_id: String,
    /// 16 hex digits, ours.
    pub span_id: String,
}

impl Trace {
    /// The caller's trace with a span of ours, or a new one.
    #[must_use]
    pub fn of(headers: &HeaderMap, world: &World) -> Self {
        Self::under(headers.get(HEADER).and_then(|v| v.to_str().ok()), world)
    }

    /// A span of ours in the trace that a header's value names; in a new one when it names none.
    #[must_use]
    pub fn under(parent: Option<&str>, world: &World) -> Self {
        let caller = parent.and_then(trace_id);
        Self {
            trace_id: caller.map_or_else(|| hex::encode(world.random::<16>()), str::to_owned),
            span_id: hex::encode(world.random::<8>()),
        }
    }

    /// As [`Trace::under`]; without a header, in the trace of the work that asks.
    #[must_use]
    pub fn of_call(parent: Option<&str>, world: &World) -> Self {
        match (parent, Self::current()) {
            (None, Some(current)) => Self {
                span_id: hex::encode(world.random::<8>()),
                ..current
            },
            (parent, _) => Self::under(parent, world),
        }
    }

    /// The trace of the work that runs now; none outside of any.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// Does some work as a part of this trace.
    pub async fn during<F: Future>(self, work: F) -> F::Output {
        CURRENT.scope(self, work).await
    }

    /// Whether a header's value names this trace.
    #[must_use]
    pub fn goes_on_from(&self, parent: &str) -> bool {
        trace_id(parent) == Some(self.trace_id.as_str())
    }

    /// The header for calls we make on this request's behalf.
    #[must_use]
    pub fn header(&self) -> String {
        format!("00-{}-{}-01", self.trace_id, self.span_id)
    }
}

/// The trace id of a well-formed `traceparent`; anything else starts a new trace.
fn trace_id(header: &str) -> Option<&str> {
    let hex = |text: &str, len: usize| {
        text.len() == len
            && text
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
            && text.bytes().any(|b| b != b'0')
    };
    let mut parts = header.splitn(4, '-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    (version == "00" && hex(trace, 32) && hex(span, 16) && flags.len() == 2).then_some(trace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_call_goes_on_in_the_trace_of_the_work_that_makes_it_unless_it_names_another() {
        let world = World::of_this_machine();
        assert_eq!(Trace::current(), None);
        let ours = Trace::under(None, &world);
        let named = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let (inside, other) = ours
            .clone()
            .during(async { (Trace::of_call(None, &world), Trace::of_call(Some(named), &world)) })
            .await;
        assert_eq!(inside.trace_id, ours.trace_id);
        assert_ne!(inside.span_id, ours.span_id);
        assert!(other.goes_on_from(named) && !inside.goes_on_from(named));
        assert_eq!(Trace::current(), None);
        assert!(ours.goes_on_from(&ours.header()), "what is sent reads back");
    }

    #[test]
    fn a_callers_trace_goes_on_and_a_bad_one_does_not() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(trace_id(&format!("00-{trace}-00f067aa0ba902b7-01")), Some(trace));
        for bad in [
            "",
            "00",
            &format!("00-{trace}-0000000000000000-01"),
            &format!("ff-{trace}-00f067aa0ba902b7-01"),
        ] {
            assert_eq!(trace_id(bad), None, "{bad}");
        }
    }
}
