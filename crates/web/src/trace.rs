//! A request's id and its W3C trace context (<https://www.w3.org/TR/trace-context/>). Never carries
//! anything about the person.

use axum::http::HeaderMap;
use kernel::World;

/// The id a person can read to a help desk and an operator can find in the log; a request
/// extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(pub String);

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
        let caller = headers
            .get("traceparent")
            .and_then(|v| v.to_str().ok())
            .and_then(trace_id);
        Self {
            trace_id: caller.map_or_else(|| hex::encode(world.random::<16>()), str::to_owned),
            span_id: hex::encode(world.random::<8>()),
        }
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
