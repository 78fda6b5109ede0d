//! Messages that are going out on one connection: each in its turn a frame, as far as the other side
//! has room. Pure: never touches a socket.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;

use super::format::{self, PAYLOAD_MAX, WINDOW};

/// How much is put together before it is written, in bytes: what waits goes out in one write.
const WRITE_BYTES: usize = 64 * 1024;

/// The messages that have not gone out whole.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    /// Frames that are ready as they are.
    now: Vec<u8>,
    turn: VecDeque<Leaving>,
    /// Messages that wait for room.
    stopped: HashMap<u32, Leaving>,
}

#[derive(Debug)]
struct Leaving {
    stream: u32,
    bytes: Bytes,
    at: usize,
    room: usize,
}

impl Outgoing {
    /// Sets a message in the queue.
    pub(super) fn push(&mut self, stream: u32, bytes: Bytes) {
        self.turn.push_back(Leaving {
            stream,
            bytes,
            at: 0,
            room: WINDOW,
        });
    }

    /// Frames that go out before any message.
    pub(super) fn now(&mut self) -> &mut Vec<u8> {
        &mut self.now
    }

    /// The other side has room for more of a message.
    pub(super) fn room(&mut self, stream: u32, bytes: usize) {
        if let Some(mut leaving) = self.stopped.remove(&stream) {
            leaving.room = leaving.room.saturating_add(bytes);
            self.turn.push_back(leaving);
        } else if let Some(leaving) = self.turn.iter_mut().find(|l| l.stream == stream) {
            leaving.room = leaving.room.saturating_add(bytes);
        }
    }

    /// Takes a message out; true when nothing of it had gone.
    pub(super) fn drop_message(&mut self, stream: u32) -> bool {
        if self.stopped.remove(&stream).is_some() {
            return false;
        }
        let place = self.turn.iter().position(|l| l.stream == stream);
        place
            .and_then(|place| self.turn.remove(place))
            .is_some_and(|leaving| leaving.at == 0)
    }

    /// Whether nothing is left that could go out now or later.
    pub(super) fn is_empty(&self) -> bool {
        self.now.is_empty() && self.turn.is_empty() && self.stopped.is_empty()
    }

    /// Puts what may go out now into `out`; nothing when all waits.
    pub(super) fn fill(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.now);
        while out.len() < WRITE_BYTES {
            let Some(mut leaving) = self.turn.pop_front() else {
                return;
            };
            let rest = leaving.bytes.len() - leaving.at;
            let length = rest.min(PAYLOAD_MAX).min(leaving.room);
            if length < rest && length == 0 {
                self.stopped.insert(leaving.stream, leaving);
                continue;
            }
            let payload = &leaving.bytes[leaving.at..leaving.at + length];
            format::part(out, leaving.stream, payload, length == rest);
            leaving.at += length;
            leaving.room -= length;
            if length < rest {
                self.turn.push_back(leaving);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::format::{HEAD, Head, Kind};
    use super::*;

    fn heads(out: &[u8]) -> Vec<(u32, Kind, usize)> {
        let (mut at, mut heads) = (0, Vec::new());
        while let Some(front) = out[at..].first_chunk::<HEAD>() {
            let head = Head::read(front).expect("our own");
            heads.push((head.stream, head.kind, head.length));
            at += HEAD + head.length;
        }
        heads
    }

    fn filled(outgoing: &mut Outgoing) -> Vec<(u32, Kind, usize)> {
        let mut out = Vec::new();
        outgoing.fill(&mut out);
        heads(&out)
    }

    #[test]
    fn a_small_message_does_not_wait_for_a_large_one() {
        let mut outgoing = Outgoing::default();
        outgoing.push(1, Bytes::from(vec![0; 40 * PAYLOAD_MAX]));
        outgoing.push(3, Bytes::from_static(b"small"));
        let heads = filled(&mut outgoing);
        let expected = [
            (1, Kind::Part, PAYLOAD_MAX),
            (3, Kind::End, 5),
            (1, Kind::Part, PAYLOAD_MAX),
        ];
        assert_eq!(heads[..3], expected);
    }

    #[test]
    fn a_message_goes_only_as_far_as_there_is_room_and_on_when_there_is_more() {
        let mut outgoing = Outgoing::default();
        outgoing.push(1, Bytes::from(vec![0; WINDOW + 10]));
        let sent = |heads: &[(u32, Kind, usize)]| heads.iter().map(|(_, _, length)| length).sum::<usize>();
        let mut first = filled(&mut outgoing);
        first.extend(filled(&mut outgoing));
        assert_eq!(sent(&first), WINDOW);
        assert!(filled(&mut outgoing).is_empty() && !outgoing.is_empty());
        outgoing.room(1, 4);
        assert_eq!(filled(&mut outgoing), [(1, Kind::Part, 4)]);
        outgoing.room(1, 100);
        assert_eq!(filled(&mut outgoing), [(1, Kind::End, 6)]);
        assert!(outgoing.is_empty());
    }

    #[test]
    fn an_empty_message_is_one_frame() {
        let mut outgoing = Outgoing::default();
        outgoing.push(1, Bytes::new());
        assert_eq!(filled(&mut outgoing), [(1, Kind::End, 0)]);
        assert!(outgoing.is_empty());
    }

    #[test]
    fn a_message_taken_back_says_whether_any_of_it_had_gone() {
        let mut outgoing = Outgoing::default();
        outgoing.push(1, Bytes::from(vec![0; 20 * WINDOW]));
        assert!(outgoing.drop_message(1));
        outgoing.push(3, Bytes::from(vec![0; 20 * WINDOW]));
        filled(&mut outgoing);
        assert!(!outgoing.drop_message(3) && outgoing.is_empty());
    }
}
