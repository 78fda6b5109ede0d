//! Messages that are coming in on one connection: frames are put together, and room is given as far
//! as memory is set aside for it. Pure: never touches a socket.

use std::collections::{BTreeMap, BTreeSet};

use super::format::{self, HEAD, Head, Kind, NoFrame, Reason, STREAMS_MAX, WINDOW};

/// Memory for what is coming in on one connection beyond each message's first window, in bytes.
const HELD_BYTES_MAX: usize = 64 << 20;

/// What a frame brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A whole message.
    Message(u32, Vec<u8>),
    /// The other side gave a message up, ours or its own.
    GivenUp(u32, Reason),
    /// There is room for more of a message of ours, in bytes.
    Room(u32, usize),
    /// No new message of ours is read any more.
    Last,
    /// The other side asks whether we are there.
    Ping,
}

/// The messages that have begun and not ended.
#[derive(Debug)]
pub(super) struct Incoming {
    message_bytes_max: usize,
    begun: BTreeMap<u32, Begun>,
    held: usize,
    /// Messages that wait for room.
    waiting: BTreeSet<u32>,
}

#[derive(Debug, Default)]
struct Begun {
    bytes: Vec<u8>,
    /// How far the sender may go, in bytes from the beginning.
    room: usize,
    /// Too large: what still comes is thrown away.
    refused: bool,
}

impl Incoming {
    pub(super) fn new(message_bytes_max: usize) -> Self {
        Self {
            message_bytes_max,
            begun: BTreeMap::new(),
            held: 0,
            waiting: BTreeSet::new(),
        }
    }

    /// Takes every whole frame at the front of `bytes`; says how many bytes those were. What must be
    /// answered at once is written to `back`.
    pub(super) fn take(
        &mut self,
        bytes: &[u8],
        back: &mut Vec<u8>,
        mut event: impl FnMut(Event),
    ) -> Result<usize, NoFrame> {
        let mut at = 0;
        while let Some(front) = bytes[at..].first_chunk::<HEAD>() {
            let head = Head::read(front)?;
            let Some(payload) = bytes.get(at + HEAD..at + HEAD + head.length) else {
                break;
            };
            at += HEAD + head.length;
            if let Some(seen) = self.frame(head, payload, back)? {
                event(seen);
            }
        }
        Ok(at)
    }

    fn frame(&mut self, head: Head, payload: &[u8], back: &mut Vec<u8>) -> Result<Option<Event>, NoFrame> {
        Ok(match head.kind {
            Kind::Part | Kind::End => self.part(head, payload, back)?,
            Kind::Room => {
                let room = u32::from_be_bytes(payload.try_into().map_err(|_| NoFrame)?);
                Some(Event::Room(
                    head.stream,
                    usize::try_from(room).unwrap_or(usize::MAX),
                ))
            }
            Kind::GiveUp => {
                self.forget(head.stream, back);
                let reason = payload.first().copied().map_or(Reason::Gone, Reason::read);
                Some(Event::GivenUp(head.stream, reason))
            }
            Kind::Last => Some(Event::Last),
            Kind::Ping => Some(Event::Ping),
            Kind::Here => None,
        })
    }

    fn part(&mut self, head: Head, payload: &[u8], back: &mut Vec<u8>) -> Result<Option<Event>, NoFrame> {
        let (stream, last) = (head.stream, head.kind == Kind::End);
        if last && !self.begun.contains_key(&stream) {
            // Most messages are one frame.
            return Ok(self.whole(stream, payload, back));
        }
        if !self.begun.contains_key(&stream) && self.begun.len() >= STREAMS_MAX {
            return Err(NoFrame);
        }
        let begun = self.begun.entry(stream).or_insert_with(|| Begun {
            room: WINDOW,
            ..Begun::default()
        });
        if begun.refused {
            if last {
                self.begun.remove(&stream);
            }
            return Ok(None);
        }
        let length = begun.bytes.len() + payload.len();
        if length > begun.room {
            return Err(NoFrame);
        }
        if length > self.message_bytes_max {
            begun.refused = !last;
            self.held -= begun.bytes.len();
            begun.bytes = Vec::new();
            self.waiting.remove(&stream);
            format::give_up(back, stream, Reason::TooLarge);
            if last {
                self.begun.remove(&stream);
            }
            self.give_room(back);
            return Ok(Some(Event::GivenUp(stream, Reason::TooLarge)));
        }
        begun.bytes.extend_from_slice(payload);
        self.held += payload.len();
        if last {
            let bytes = self.forget(stream, back).unwrap_or_default();
            return Ok(Some(Event::Message(stream, bytes)));
        }
        if begun.room - length < WINDOW / 2 {
            self.waiting.insert(stream);
            self.give_room(back);
        }
        Ok(None)
    }

    fn whole(&self, stream: u32, payload: &[u8], back: &mut Vec<u8>) -> Option<Event> {
        if payload.len() > self.message_bytes_max {
            format::give_up(back, stream, Reason::TooLarge);
            return Some(Event::GivenUp(stream, Reason::TooLarge));
        }
        Some(Event::Message(stream, payload.to_vec()))
    }

    /// Lets a message go; others may have its room.
    fn forget(&mut self, stream: u32, back: &mut Vec<u8>) -> Option<Vec<u8>> {
        let begun = self.begun.remove(&stream)?;
        self.held -= begun.bytes.len();
        self.waiting.remove(&stream);
        self.give_room(back);
        Some(begun.bytes)
    }

    /// Gives room to those who wait, as far as there is memory; the oldest always gets it, so that
    /// many large messages never wait for each other.
    fn give_room(&mut self, back: &mut Vec<u8>) {
        while let Some(stream) = self.waiting.first().copied() {
            let oldest = self.begun.keys().next() == Some(&stream);
            if self.held > HELD_BYTES_MAX && !oldest {
                return;
            }
            self.waiting.remove(&stream);
            if let Some(begun) = self.begun.get_mut(&stream) {
                let more = begun.bytes.len() + WINDOW - begun.room;
                begun.room += more;
                format::room(back, stream, more);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(incoming: &mut Incoming, bytes: &[u8]) -> (Vec<Event>, Vec<u8>) {
        let (mut events, mut back) = (Vec::new(), Vec::new());
        let taken = incoming
            .take(bytes, &mut back, |e| events.push(e))
            .expect("frames");
        assert_eq!(taken, bytes.len());
        (events, back)
    }

    #[test]
    fn messages_whose_frames_take_turns_come_out_whole() {
        let mut bytes = Vec::new();
        format::part(&mut bytes, 1, b"a", false);
        format::part(&mut bytes, 3, b"x", false);
        format::part(&mut bytes, 1, b"b", true);
        format::part(&mut bytes, 3, b"", true);
        let (events, back) = all(&mut Incoming::new(10), &bytes);
        let whole = [(1, b"ab".to_vec()), (3, b"x".to_vec())];
        assert_eq!(events, whole.map(|(stream, bytes)| Event::Message(stream, bytes)));
        assert!(back.is_empty());
    }

    #[test]
    fn a_frame_cut_short_waits_for_the_rest() {
        let mut bytes = Vec::new();
        format::part(&mut bytes, 1, b"abc", true);
        let mut incoming = Incoming::new(10);
        for end in 0..bytes.len() {
            let taken = incoming.take(&bytes[..end], &mut Vec::new(), |e| panic!("{e:?}"));
            assert_eq!(taken, Ok(0), "{end}");
        }
    }

    #[test]
    fn a_message_too_large_is_given_up_and_the_rest_of_it_thrown_away() {
        let mut incoming = Incoming::new(4);
        let mut bytes = Vec::new();
        format::part(&mut bytes, 1, b"abc", false);
        format::part(&mut bytes, 1, b"de", false);
        format::part(&mut bytes, 1, b"f", true);
        format::part(&mut bytes, 3, b"ok", true);
        let (events, back) = all(&mut incoming, &bytes);
        let told = [
            Event::GivenUp(1, Reason::TooLarge),
            Event::Message(3, b"ok".to_vec()),
        ];
        assert_eq!(events, told);
        let mut word = Vec::new();
        format::give_up(&mut word, 1, Reason::TooLarge);
        assert_eq!((back, incoming.held, incoming.begun.len()), (word, 0, 0));
    }

    #[test]
    fn who_sends_more_than_there_is_room_for_breaks_the_wire() {
        let mut incoming = Incoming::new(usize::MAX);
        let mut bytes = Vec::new();
        for _ in 0..=WINDOW / 1_024 {
            format::part(&mut bytes, 1, &[0; 1_024], false);
        }
        let (mut back, ignore) = (Vec::new(), |_| ());
        // Room was given on the way: the sender could not have known of all of it, but may use it.
        assert!(incoming.take(&bytes, &mut back, ignore).is_ok());
        assert!(!back.is_empty());
        let mut greedy = Vec::new();
        for _ in 0..8 {
            format::part(&mut greedy, 3, &[0; format::PAYLOAD_MAX], false);
        }
        let mut strict = Incoming::new(usize::MAX);
        strict.held = HELD_BYTES_MAX + 1;
        format::part(&mut bytes, 5, b"older", false);
        let mut first = Vec::new();
        format::part(&mut first, 1, b"oldest", false);
        strict.take(&first, &mut back, |_| ()).expect("frames");
        assert_eq!(strict.take(&greedy, &mut back, |_| ()), Err(NoFrame));
    }

    #[test]
    fn without_memory_only_the_oldest_message_gets_room_and_the_next_when_it_is_done() {
        let mut incoming = Incoming::new(usize::MAX);
        incoming.held = HELD_BYTES_MAX + 1;
        let rooms = |back: &[u8]| back.len() / (HEAD + 4);
        let send = |incoming: &mut Incoming, stream| {
            let mut bytes = Vec::new();
            for _ in 0..3 {
                format::part(&mut bytes, stream, &[0; format::PAYLOAD_MAX], false);
            }
            let mut back = Vec::new();
            incoming.take(&bytes, &mut back, |_| ()).expect("frames");
            rooms(&back)
        };
        assert_eq!((send(&mut incoming, 1), send(&mut incoming, 3)), (1, 0));
        let mut end = Vec::new();
        format::part(&mut end, 1, b"", true);
        let mut back = Vec::new();
        incoming.take(&end, &mut back, |_| ()).expect("frames");
        assert_eq!(rooms(&back), 1, "the younger one is the oldest now");
    }
}
