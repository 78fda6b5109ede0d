//! The form of a frame: nine bytes in front (length, kind, stream), then the payload. Never waits
//! and never allocates by what a head claims.

/// Length of a frame's head, in bytes.
pub(super) const HEAD: usize = 9;
/// Largest payload of a frame, in bytes: one TLS record holds it.
pub(super) const PAYLOAD_MAX: usize = 16 * 1024 - HEAD - 256;
/// What may be sent of a message before the other side gives room for more, in bytes.
pub(super) const WINDOW: usize = 64 * 1024;
/// Messages on their way on one connection, count; more are refused unread.
pub(super) const STREAMS_MAX: usize = 1_024;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A part of a message; more follows.
    Part,
    /// The last part of a message.
    End,
    /// Room for so many bytes more of a message (32 bits).
    Room,
    /// A message is given up, with a [`Reason`] (8 bits).
    GiveUp,
    /// No new message is read on this connection from here on; those begun are answered.
    Last,
    /// "Are you there?"; answered by [`Kind::Here`].
    Ping,
    /// The answer to a ping.
    Here,
}

/// Why a message is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// Nobody waits for it any more.
    Gone,
    /// It is larger than the receiver takes.
    TooLarge,
    /// It was not looked at and never will be: it can be sent again elsewhere.
    Unread,
}

/// A frame's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) length: usize,
    pub(super) kind: Kind,
    pub(super) stream: u32,
}

/// Bytes that are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no frame of this wire")]
pub(super) struct NoFrame;

impl Kind {
    const ALL: [Self; 7] = [
        Self::Part,
        Self::End,
        Self::Room,
        Self::GiveUp,
        Self::Last,
        Self::Ping,
        Self::Here,
    ];

    const fn code(self) -> u8 {
        self as u8
    }

    /// Whether a head of this kind may have this length and stream.
    const fn allows(self, length: usize, stream: u32) -> bool {
        match self {
            Self::Part => stream != 0 && length > 0 && length <= PAYLOAD_MAX,
            Self::End => stream != 0 && length <= PAYLOAD_MAX,
            Self::Room => stream != 0 && length == 4,
            Self::GiveUp => stream != 0 && length == 1,
            Self::Last | Self::Ping | Self::Here => stream == 0 && length == 0,
        }
    }
}

impl Head {
    /// Reads the head of a frame.
    pub(super) fn read(bytes: &[u8; HEAD]) -> Result<Self, NoFrame> {
        let [l0, l1, l2, l3, kind, s0, s1, s2, s3] = *bytes;
        let length = usize::try_from(u32::from_be_bytes([l0, l1, l2, l3])).map_err(|_| NoFrame)?;
        let kind = *Kind::ALL.get(usize::from(kind)).ok_or(NoFrame)?;
        let stream = u32::from_be_bytes([s0, s1, s2, s3]);
        if kind.allows(length, stream) {
            Ok(Self { length, kind, stream })
        } else {
            Err(NoFrame)
        }
    }
}

impl Reason {
    /// Reads a reason; one of a later version reads as [`Reason::Gone`].
    pub(super) const fn read(code: u8) -> Self {
        match code {
            1 => Self::TooLarge,
            2 => Self::Unread,
            _ => Self::Gone,
        }
    }
}

fn head(out: &mut Vec<u8>, length: usize, kind: Kind, stream: u32) {
    let length = u32::try_from(length).expect("a payload is short");
    out.extend_from_slice(&length.to_be_bytes());
    out.push(kind.code());
    out.extend_from_slice(&stream.to_be_bytes());
}

/// Writes a part of a message.
pub(super) fn part(out: &mut Vec<u8>, stream: u32, payload: &[u8], last: bool) {
    head(
        out,
        payload.len(),
        if last { Kind::End } else { Kind::Part },
        stream,
    );
    out.extend_from_slice(payload);
}

/// Writes that there is room for more of a message.
pub(super) fn room(out: &mut Vec<u8>, stream: u32, bytes: usize) {
    head(out, 4, Kind::Room, stream);
    out.extend_from_slice(&u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes());
}

/// Writes that a message is given up.
pub(super) fn give_up(out: &mut Vec<u8>, stream: u32, reason: Reason) {
    head(out, 1, Kind::GiveUp, stream);
    out.push(reason as u8);
}

/// Writes a frame of the connection itself.
pub(super) fn bare(out: &mut Vec<u8>, kind: Kind) {
    head(out, 0, kind, 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Head, NoFrame> {
        Head::read(bytes.first_chunk().expect("a head"))
    }

    #[test]
    fn the_bytes_of_a_frame_are_those_of_the_published_wire() {
        let mut out = Vec::new();
        part(&mut out, 7, b"abc", false);
        part(&mut out, 7, b"d", true);
        room(&mut out, 7, 65_536);
        give_up(&mut out, 7, Reason::TooLarge);
        bare(&mut out, Kind::Last);
        bare(&mut out, Kind::Ping);
        bare(&mut out, Kind::Here);
        let golden = concat!(
            "00000003000000000761626 3",
            "000000010100000007 64",
            "000000040200000007 00010000",
            "000000010300000007 01",
            "000000000400000000",
            "000000000500000000",
            "000000000600000000",
        );
        assert_eq!(hex(&out), golden.replace(' ', ""));
    }

    #[test]
    fn a_head_is_taken_only_with_the_length_and_stream_of_its_kind() {
        for bad in [
            [0, 0, 0, 0, 0, 0, 0, 0, 1], // an empty part that is not the last
            [0, 0, 0, 1, 0, 0, 0, 0, 0], // a part of no stream
            [0, 1, 0, 0, 0, 0, 0, 0, 1], // longer than a frame may be
            [0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 1],
            [0, 0, 0, 3, 2, 0, 0, 0, 1], // room told in three bytes
            [0, 0, 0, 0, 3, 0, 0, 0, 1], // given up without a reason
            [0, 0, 0, 0, 5, 0, 0, 0, 1], // a ping of a stream
            [0, 0, 0, 0, 7, 0, 0, 0, 0], // a kind of no version yet
        ] {
            assert_eq!(read(&bad), Err(NoFrame), "{bad:?}");
        }
        let end = Head {
            length: 0,
            kind: Kind::End,
            stream: 1,
        };
        assert_eq!(
            read(&[0, 0, 0, 0, 1, 0, 0, 0, 1]),
            Ok(end),
            "an empty message is one"
        );
    }

    fn hex(bytes: &[u8]) -> String {
        use std::fmt::Write as _;
        bytes.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").expect("memory takes every byte");
            text
        })
    }
}
