//! A kept body's form: a head, then its bytes encrypted in pieces under a key of its own. Pure: never a
//! file, a row or a source of chance.
//!
//! The head: `u64 LE size, 32 bytes salt, u32 LE crc32 of both`. A piece: at most 256 KiB with AES-256-GCM,
//! its number and whether it is the last in the nonce, the head beside it, so that no piece can be left
//! out, moved or taken from another body.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, MAX_TAG_LEN, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use kernel::{Kind, Problem};

/// What is encrypted at once, in bytes.
pub(crate) const PIECE: usize = 256 * 1024;
/// Bytes before a body's pieces.
pub(crate) const HEAD: usize = 44;
/// Bytes of a key.
pub(crate) const KEY: usize = 32;
/// Bytes of a wrapped key: nonce, key, tag.
const WRAPPED: usize = NONCE_LEN + KEY + MAX_TAG_LEN;

/// What the node wraps its shelves' keys with.
pub(crate) struct Wrap(LessSafeKey);

impl Wrap {
    pub(crate) fn of(key: &[u8; KEY]) -> Self {
        Self(aes(key))
    }

    /// A shelf's key, readable by this node only.
    pub(crate) fn close(&self, day: &str, key: &[u8; KEY], nonce: [u8; NONCE_LEN]) -> Vec<u8> {
        let mut sealed = key.to_vec();
        let day = Aad::from(day.as_bytes());
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), day, &mut sealed)
            .expect("a key is short");
        [&nonce[..], &sealed].concat()
    }

    /// The key again; none when it is another node's or another shelf's, or was changed.
    pub(crate) fn open(&self, day: &str, wrapped: &[u8]) -> Option<[u8; KEY]> {
        if wrapped.len() != WRAPPED {
            return None;
        }
        let (nonce, sealed) = wrapped.split_first_chunk::<NONCE_LEN>()?;
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self
            .0
            .open_in_place(nonce, Aad::from(day.as_bytes()), &mut sealed);
        let key: &[u8] = opened.ok()?;
        key.try_into().ok()
    }
}

/// The key of a shelf: from it each body on it has its own.
pub(crate) struct ShelfKey(hmac::Key);

impl ShelfKey {
    pub(crate) fn of(key: &[u8; KEY]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// A body that is to be written.
    pub(crate) fn begin(&self, size: u64, salt: &[u8; KEY]) -> BodyKey {
        let mut head = [0; HEAD];
        head[..8].copy_from_slice(&size.to_le_bytes());
        head[8..40].copy_from_slice(salt);
        let crc = crc32fast::hash(&head[..40]);
        head[40..].copy_from_slice(&crc.to_le_bytes());
        self.read(head).expect("a head that was just made")
    }

    /// A body by its head.
    ///
    /// # Errors
    /// `body-damaged` when it is no head.
    pub(crate) fn read(&self, head: [u8; HEAD]) -> Result<BodyKey, Problem> {
        let (told, crc) = head.split_at(40);
        let (size, _salt) = told.split_first_chunk::<8>().ok_or_else(damaged)?;
        let size = u64::from_le_bytes(*size);
        if crc != crc32fast::hash(told).to_le_bytes() || size == 0 {
            return Err(damaged());
        }
        let mut key = [0; KEY];
        key.copy_from_slice(hmac::sign(&self.0, told).as_ref());
        Ok(BodyKey {
            key: aes(&key),
            head,
            size,
        })
    }
}

/// The key of one body.
pub(crate) struct BodyKey {
    key: LessSafeKey,
    head: [u8; HEAD],
    size: u64,
}

impl BodyKey {
    /// What stands before the pieces.
    pub(crate) const fn head(&self) -> &[u8; HEAD] {
        &self.head
    }

    /// Size of the body, in bytes; never 0.
    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    /// Pieces, count.
    pub(crate) const fn pieces(&self) -> u64 {
        self.size.div_ceil(PIECE as u64)
    }

    /// What a piece takes where it is kept, in bytes, and where it stands behind the head's beginning.
    pub(crate) fn place(&self, number: u64) -> (u64, usize) {
        let rest = self.size.saturating_sub(number * PIECE as u64);
        let length = rest.min(PIECE as u64) + MAX_TAG_LEN as u64;
        let at = HEAD as u64 + number * (PIECE + MAX_TAG_LEN) as u64;
        (at, usize::try_from(length).unwrap_or_default())
    }

    /// Encrypts a piece where it stands.
    pub(crate) fn close(&self, number: u64, piece: &mut Vec<u8>) -> Result<(), Problem> {
        let (nonce, head) = (self.nonce(number)?, Aad::from(self.head));
        let sealed = self.key.seal_in_place_append_tag(nonce, head, piece);
        sealed.map_err(Problem::internal)
    }

    /// Decrypts a piece where it stands.
    ///
    /// # Errors
    /// `body-damaged` when it is not what was written.
    pub(crate) fn open(&self, number: u64, piece: &mut Vec<u8>) -> Result<(), Problem> {
        let (nonce, head) = (self.nonce(number)?, Aad::from(self.head));
        let opened = self.key.open_in_place(nonce, head, piece);
        let length = opened.map_err(|_| damaged())?.len();
        piece.truncate(length);
        Ok(())
    }

    /// One nonce a piece: a key is one body's, and no piece is written twice.
    fn nonce(&self, number: u64) -> Result<Nonce, Problem> {
        let mut bytes = [0; NONCE_LEN];
        let short = u32::try_from(number).map_err(Problem::internal)?;
        bytes[..4].copy_from_slice(&short.to_be_bytes());
        bytes[4] = u8::from(number + 1 == self.pieces());
        Ok(Nonce::assume_unique_for_key(bytes))
    }
}

/// What a body takes where it is kept, in bytes.
pub(crate) const fn stored_bytes(size: u64) -> u64 {
    HEAD as u64 + size + size.div_ceil(PIECE as u64) * MAX_TAG_LEN as u64
}

/// What is kept is not what was written.
pub(crate) fn damaged() -> Problem {
    Problem::new(Kind::Internal, "body-damaged")
}

fn aes(key: &[u8; KEY]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("32 bytes are a key"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shelf() -> ShelfKey {
        ShelfKey::of(&[7; KEY])
    }

    #[test]
    fn a_key_is_unwrapped_by_the_node_and_for_the_day_that_it_was_wrapped_for() {
        let wrap = Wrap::of(&[1; KEY]);
        let wrapped = wrap.close("2026-12-31", &[9; KEY], [3; NONCE_LEN]);
        assert_eq!(wrap.open("2026-12-31", &wrapped), Some([9; KEY]));
        assert_eq!(wrap.open("2027-01-01", &wrapped), None, "another day's");
        assert_eq!(
            Wrap::of(&[2; KEY]).open("2026-12-31", &wrapped),
            None,
            "another node's"
        );
        assert_eq!(wrap.open("2026-12-31", &[0; WRAPPED]), None, "what is left of it");
        assert_eq!(wrap.open("2026-12-31", &wrapped[1..]), None);
    }

    #[test]
    fn a_piece_is_read_in_its_place_in_its_body_and_nowhere_else() {
        let size = PIECE as u64 + 5;
        let body = shelf().begin(size, &[1; KEY]);
        let other = shelf().begin(size, &[2; KEY]);
        assert_eq!(body.pieces(), 2);
        let mut piece = b"abcde".to_vec();
        body.close(1, &mut piece).expect("closed");
        let (at, length) = body.place(1);
        assert_eq!(at + length as u64, stored_bytes(size));
        assert_eq!(piece.len(), length);
        let opened = |key: &BodyKey, number| {
            let mut piece = piece.clone();
            key.open(number, &mut piece).map(|()| piece)
        };
        assert_eq!(opened(&body, 1).expect("opened"), b"abcde");
        assert_eq!(opened(&body, 0).expect_err("moved").code, "body-damaged");
        assert_eq!(opened(&other, 1).expect_err("of another").code, "body-damaged");
        let again = shelf().read(*body.head()).expect("a head");
        assert_eq!(opened(&again, 1).expect("opened"), b"abcde");
        let mut bent = *body.head();
        bent[0] ^= 1;
        assert!(shelf().read(bent).is_err());
    }
}
