//! Where a nation is and who may sign in there. Never how it runs.

use std::path::PathBuf;

use anyhow::Context as _;
use sen::up::accounts::{self, Sample};
use sen::up::nation::Place;
use sen::up::prepare::Layout;

/// A nation as its people meet it.
#[derive(Clone, Debug)]
pub struct Site {
    /// The first port.
    pub port: u16,
    /// The data folder.
    pub data: PathBuf,
    /// Who may sign in, and with which password.
    pub samples: Vec<Sample>,
}

impl Site {
    /// The nation of a prepared folder.
    ///
    /// # Errors
    /// When the folder is not prepared.
    pub fn of(data: PathBuf, port: u16) -> anyhow::Result<Self> {
        Ok(Self {
            samples: accounts::read(&data)?,
            data,
            port,
        })
    }

    /// An address at a place's portal.
    #[must_use]
    pub fn url(&self, place: Place, path: &str) -> String {
        format!("{}{path}", place.url(self.port))
    }

    /// The data folder's paths.
    #[must_use]
    pub fn layout(&self) -> Layout {
        Layout::of(&self.data)
    }

    /// The first sign-in of a role at a place.
    ///
    /// # Errors
    /// When there is none.
    pub fn sample(&self, role: &str, place: Place) -> anyhow::Result<&Sample> {
        let found = self
            .samples
            .iter()
            .find(|s| s.role == role && s.node == place.id());
        found.with_context(|| format!("there is no {role} at {}", place.id()))
    }
}
