//! The node's secret, kept in its folder: for salted digests, and for the keys of kept bodies. Never shown,
//! logged or sent.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use aws_lc_rs::hmac;
use kernel::{Digest, Tenant, World};

use crate::StoreError;

/// A key for HMAC-SHA-256.
#[derive(Debug)]
pub(crate) struct Secret {
    key: hmac::Key,
}

impl Secret {
    /// Reads `folder/secret`, or makes it (readable by its owner only) when it is not there.
    pub(crate) fn open(folder: &Path, world: &World) -> Result<Self, StoreError> {
        let path = folder.join("secret");
        let bad = |e| StoreError::Folder(path.clone(), e);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                let text = world.secret();
                let mut options = fs::OpenOptions::new();
                options.write(true).create_new(true);
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
                let mut file = options.open(&path).map_err(bad)?;
                file.write_all(text.as_bytes())
                    .and_then(|()| file.sync_all())
                    .map_err(bad)?;
                text
            }
            Err(e) => return Err(bad(e)),
        };
        Self::of(&path, &text)
    }

    /// Reads `folder/secret` beside a node that may run; nothing is made.
    pub(crate) fn beside(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join("secret");
        let text = fs::read_to_string(&path).map_err(|e| StoreError::Folder(path.clone(), e))?;
        Self::of(&path, &text)
    }

    fn of(path: &Path, text: &str) -> Result<Self, StoreError> {
        let bytes = hex::decode(text.trim()).ok().filter(|bytes| bytes.len() == 32);
        let bytes =
            bytes.ok_or_else(|| StoreError::Config(format!("{} does not hold a secret", path.display())))?;
        Ok(Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &bytes),
        })
    }

    /// What the keys of kept bodies are wrapped with. No digest of a text is it: those have a zero byte.
    pub(crate) fn of_bodies(&self) -> [u8; 32] {
        let mut key = [0; 32];
        key.copy_from_slice(hmac::sign(&self.key, b"the keys of kept bodies").as_ref());
        key
    }

    /// A digest of a text that only this node can make, another one for each tenant.
    pub(crate) fn digest(&self, tenant: &Tenant, text: &str) -> Digest {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(tenant.as_str().as_bytes());
        context.update(&[0]);
        context.update(text.as_bytes());
        let mut out = [0; 32];
        out.copy_from_slice(context.sign().as_ref());
        Digest(out)
    }
}
