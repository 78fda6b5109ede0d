//! The encrypted stream of a backup: a header in clear, then chunks of AES-256-GCM under a key from the
//! passphrase. Never gives a byte that was not checked, and never takes a stream that ends early.
//!
//! `SENBACK1\n`, one line of JSON (the key's derivation and its salt), then chunks of `u32 LE length,
//! ciphertext and tag`. A chunk's nonce is its number and whether it is the last, so that chunks cannot
//! be left out, doubled or moved; the header is authenticated with each.

use std::io::{self, Read, Write};

use anyhow::{Context as _, ensure};
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use kernel::World;
use serde::{Deserialize, Serialize};

const MAGIC: &[u8; 9] = b"SENBACK1\n";
/// Plain bytes of a chunk.
const CHUNK: usize = 1 << 20;
/// Bytes that a chunk grows by.
const TAG: usize = 16;
/// The longest header, in bytes.
const HEADER_BYTES_MAX: usize = 4_096;

/// How the key comes from the passphrase (RFC 9106: the second recommended choice).
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Header {
    cipher: String,
    kdf: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: String,
}

impl Header {
    fn new(world: &World) -> Self {
        Self {
            cipher: "aes-256-gcm".to_owned(),
            kdf: "argon2id".to_owned(),
            memory_kib: 65_536,
            passes: 3,
            lanes: 4,
            salt: hex::encode(world.random::<16>()),
        }
    }

    fn key(&self, passphrase: &str) -> anyhow::Result<LessSafeKey> {
        ensure!(
            self.cipher == "aes-256-gcm" && self.kdf == "argon2id",
            "the backup is encrypted in a way this release does not know"
        );
        // A header is read before it is checked: it must not ask for all memory there is.
        ensure!(
            self.memory_kib <= 1 << 20 && self.passes <= 16 && self.lanes <= 16,
            "the backup's header asks for too much"
        );
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32))
            .map_err(|e| anyhow::anyhow!("the backup's header is wrong: {e}"))?;
        let salt = hex::decode(&self.salt).context("the backup's salt is wrong")?;
        let mut key = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), &salt, &mut key)
            .map_err(|e| anyhow::anyhow!("the key cannot be derived: {e}"))?;
        let key = UnboundKey::new(&AES_256_GCM, &key).map_err(|_| anyhow::anyhow!("no key"))?;
        Ok(LessSafeKey::new(key))
    }
}

fn nonce(number: u32, last: bool) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    bytes[NONCE_LEN - 1] = u8::from(last);
    Nonce::assume_unique_for_key(bytes)
}

/// Encrypts what is written to it; [`Sealing::finish`] must be called, or the stream has no end.
pub struct Sealing<W: Write> {
    to: W,
    key: LessSafeKey,
    header: Vec<u8>,
    waiting: Vec<u8>,
    number: u32,
}

impl<W: Write> Sealing<W> {
    /// Begins a stream.
    ///
    /// # Errors
    /// When the header cannot be written.
    pub fn begin(mut to: W, passphrase: &str, world: &World) -> anyhow::Result<Self> {
        let header = Header::new(world);
        let key = header.key(passphrase)?;
        let mut bytes = serde_json::to_vec(&header)?;
        bytes.push(b'\n');
        to.write_all(MAGIC)?;
        to.write_all(&bytes)?;
        Ok(Self {
            to,
            key,
            header: bytes,
            waiting: Vec::with_capacity(CHUNK + TAG),
            number: 0,
        })
    }

    fn chunk(&mut self, last: bool) -> io::Result<()> {
        let mut bytes = std::mem::replace(&mut self.waiting, Vec::with_capacity(CHUNK + TAG));
        self.key
            .seal_in_place_append_tag(nonce(self.number, last), Aad::from(&self.header), &mut bytes)
            .map_err(|_| io::Error::other("a chunk cannot be encrypted"))?;
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        self.to.write_all(&length.to_le_bytes())?;
        self.to.write_all(&bytes)?;
        self.number = self
            .number
            .checked_add(1)
            .ok_or_else(|| io::Error::other("the backup is too large for one stream"))?;
        Ok(())
    }

    /// Writes the last chunk and gives the target back.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.chunk(true)?;
        Ok(self.to)
    }
}

impl<W: Write> Write for Sealing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.waiting.len() == CHUNK {
            self.chunk(false)?;
        }
        let taken = bytes.len().min(CHUNK - self.waiting.len());
        self.waiting.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Decrypts and checks a stream.
pub struct Opening<R: Read> {
    from: R,
    key: LessSafeKey,
    header: Vec<u8>,
    plain: Vec<u8>,
    at: usize,
    number: u32,
    ended: bool,
}

impl<R: Read> Opening<R> {
    /// Begins to read a stream.
    ///
    /// # Errors
    /// When it is no backup.
    pub fn begin(mut from: R, passphrase: &str) -> anyhow::Result<Self> {
        let mut magic = [0; MAGIC.len()];
        from.read_exact(&mut magic)
            .context("the file is no backup of Sen")?;
        ensure!(magic == *MAGIC, "the file is no backup of Sen");
        let mut bytes = Vec::new();
        while bytes.last() != Some(&b'\n') {
            ensure!(bytes.len() < HEADER_BYTES_MAX, "the backup's header is too long");
            let mut byte = [0];
            from.read_exact(&mut byte)?;
            bytes.push(byte[0]);
        }
        let header: Header = serde_json::from_slice(&bytes).context("the backup's header does not read")?;
        Ok(Self {
            key: header.key(passphrase)?,
            from,
            header: bytes,
            plain: Vec::new(),
            at: 0,
            number: 0,
            ended: false,
        })
    }

    fn chunk(&mut self) -> io::Result<()> {
        let bad = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why.to_owned());
        let mut head = [0; 4];
        self.from
            .read_exact(&mut head)
            .map_err(|_| bad("the backup ends early: it was cut off"))?;
        let length = u32::from_le_bytes(head) as usize;
        if !(TAG..=CHUNK + TAG).contains(&length) {
            return Err(bad("the backup is damaged: a chunk has a wrong length"));
        }
        let mut sealed = vec![0; length];
        self.from
            .read_exact(&mut sealed)
            .map_err(|_| bad("the backup ends early: it was cut off"))?;
        for last in [false, true] {
            let mut bytes = sealed.clone();
            let opened =
                self.key
                    .open_in_place(nonce(self.number, last), Aad::from(&self.header), &mut bytes);
            if let Ok(plain) = opened {
                let length = plain.len();
                bytes.truncate(length);
                (self.plain, self.at, self.ended) = (bytes, 0, last);
                self.number += 1;
                return Ok(());
            }
        }
        Err(bad(if self.number == 0 {
            "the passphrase is not the backup's, or its beginning is damaged"
        } else {
            "the backup is damaged"
        }))
    }
}

impl<R: Read> Read for Opening<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.at == self.plain.len() {
            if self.ended {
                return Ok(0);
            }
            self.chunk()?;
        }
        let taken = out.len().min(self.plain.len() - self.at);
        out[..taken].copy_from_slice(&self.plain[self.at..self.at + taken]);
        self.at += taken;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHRASE: &str = "correct horse battery";

    fn sealed(plain: &[u8]) -> Vec<u8> {
        let mut sealing =
            Sealing::begin(Vec::new(), PHRASE, &World::of_this_machine()).expect("a stream begins");
        sealing.write_all(plain).expect("written");
        sealing.finish().expect("ended")
    }

    fn opened(bytes: &[u8], phrase: &str) -> Result<Vec<u8>, String> {
        let mut out = Vec::new();
        let mut opening = Opening::begin(bytes, phrase).map_err(|e| e.to_string())?;
        opening.read_to_end(&mut out).map_err(|e| e.to_string())?;
        Ok(out)
    }

    #[test]
    fn a_stream_opens_with_its_passphrase_alone_and_only_whole() {
        let plain: Vec<u8> = (0..CHUNK * 2 + 77).map(|i| (i % 251) as u8).collect();
        let bytes = sealed(&plain);
        assert_eq!(opened(&bytes, PHRASE).expect("it opens"), plain);
        assert_eq!(opened(&sealed(b""), PHRASE).expect("it opens"), b"");
        let wrong = opened(&bytes, "another passphrase").expect_err("refused");
        assert!(wrong.contains("passphrase"), "{wrong}");
        let cut = opened(&bytes[..bytes.len() - 100 - TAG], PHRASE).expect_err("refused");
        assert!(cut.contains("early"), "{cut}");
        // Without its last chunk the stream is whole chunks, and still not all.
        let header = bytes
            .iter()
            .skip(MAGIC.len())
            .position(|b| *b == b'\n')
            .expect("a header");
        let two = MAGIC.len() + header + 1 + 2 * (4 + CHUNK + TAG);
        assert!(opened(&bytes[..two], PHRASE).is_err());
        for at in [MAGIC.len() + 30, bytes.len() / 2, bytes.len() - 1] {
            let mut flipped = bytes.clone();
            flipped[at] ^= 4;
            assert!(opened(&flipped, PHRASE).is_err(), "a flipped bit at {at}");
        }
    }
}
