//! A request's id and its W3C trace context. Never carries anything about the person.
