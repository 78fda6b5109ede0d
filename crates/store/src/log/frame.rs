//! A record's form on the disk: length, checksum, payload. Never a file or a row: only bytes.
//!
//! `u32 LE length, u32 LE crc32 of the payload, payload`; a record is never empty, so that a tail
//! of zeros (a file that grew and was not written) is no record.

/// Bytes before a record's payload.
pub(crate) const HEAD: usize = 8;
/// The longest record, in bytes.
pub(crate) const RECORD_BYTES_MAX: usize = 64 << 20;
/// How far behind an incomplete record a complete one is looked for, in bytes.
const SEARCH_BYTES_MAX: usize = 4 << 20;
/// The longest record that search recognises, in bytes.
const SEARCH_RECORD_MAX: usize = 1 << 20;

/// What stands at a place of a log.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame<'a> {
    /// A good record, and how many bytes it takes with its head.
    Record(&'a [u8], usize),
    /// Nothing more.
    End,
    /// A record that was cut short, or a tail of zeros.
    Torn,
    /// A record whose bytes are not what was written.
    Bad(&'static str),
}

/// Writes a record.
pub(crate) fn write(out: &mut Vec<u8>, payload: &[u8]) {
    let length = u32::try_from(payload.len()).expect("a record's length was checked");
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&crc32fast::hash(payload).to_le_bytes());
    out.extend_from_slice(payload);
}

/// Reads the record at the beginning of `bytes`.
pub(crate) fn read(bytes: &[u8]) -> Frame<'_> {
    if bytes.is_empty() {
        return Frame::End;
    }
    let Some((head, rest)) = bytes.split_first_chunk::<HEAD>() else {
        return Frame::Torn;
    };
    let (length, crc) = parts(*head);
    if length == 0 {
        return if bytes.iter().all(|b| *b == 0) {
            Frame::Torn
        } else {
            Frame::Bad("an empty record")
        };
    }
    match rest.get(..length) {
        Some(payload) if crc32fast::hash(payload) == crc => Frame::Record(payload, HEAD + length),
        Some(_) if rest.iter().all(|b| *b == 0) => Frame::Torn,
        Some(_) => Frame::Bad("the checksum does not match"),
        // A flipped bit in a length also points past the end, but then good records follow it,
        // and cutting them off would lose what was acknowledged.
        None if record_follows(rest) => Frame::Bad("the length is wrong"),
        // The last record with a flipped bit in its length: all of its payload is there.
        None if crc32fast::hash(rest) == crc => Frame::Bad("the length is wrong"),
        None => Frame::Torn,
    }
}

fn parts(head: [u8; HEAD]) -> (usize, u32) {
    let [a, b, c, d, e, f, g, h] = head;
    (
        u32::from_le_bytes([a, b, c, d]) as usize,
        u32::from_le_bytes([e, f, g, h]),
    )
}

fn record_follows(bytes: &[u8]) -> bool {
    let end = bytes.len().min(SEARCH_BYTES_MAX);
    (0..end).any(|at| {
        let Some((head, rest)) = bytes[at..].split_first_chunk::<HEAD>() else {
            return false;
        };
        let (length, crc) = parts(*head);
        (1..=SEARCH_RECORD_MAX).contains(&length)
            && rest
                .get(..length)
                .is_some_and(|payload| crc32fast::hash(payload) == crc)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> Vec<u8> {
        let mut bytes = Vec::new();
        write(&mut bytes, b"first");
        write(&mut bytes, b"second");
        bytes
    }

    #[test]
    fn a_record_reads_back_and_the_end_is_the_end() {
        let bytes = two();
        assert_eq!(read(&bytes), Frame::Record(b"first", 13));
        assert_eq!(read(&bytes[13..]), Frame::Record(b"second", 14));
        assert_eq!(read(&bytes[27..]), Frame::End);
    }

    #[test]
    fn every_cut_inside_a_last_record_is_torn_and_never_bad() {
        let bytes = two();
        for cut in 14..27 {
            assert_eq!(read(&bytes[13..cut]), Frame::Torn, "cut at {cut}");
        }
        assert_eq!(read(&[0; 40]), Frame::Torn, "a grown file that was not written");
    }

    #[test]
    fn every_flipped_bit_of_the_last_record_is_found() {
        for bit in 0..14 * 8 {
            let mut bytes = two()[13..].to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(read(&bytes), Frame::Bad(_)), "bit {bit}");
        }
    }

    #[test]
    fn every_flipped_bit_of_a_record_with_one_after_it_is_found() {
        for bit in 0..13 * 8 {
            let mut bytes = two();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(read(&bytes), Frame::Bad(_)), "bit {bit}");
        }
    }
}
