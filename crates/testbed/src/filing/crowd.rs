//! A nation in which many citizens of the sample population may sign in, each with an account of their own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use kernel::World;
use sen::config::Config;
use sen::story::nation::{self, Nation};
use sen::up::nation::Place;
use sen::up::{accounts, prepare};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::ground;
use crate::people::Person;
use crate::site::Site;

/// Sign-ins and forms under way at the same time while a load is made ready, count.
pub(super) const AT_ONCE: usize = 8;

/// A nation of its own for a load; its folder goes with it.
pub(super) struct Crowd {
    nation: Nation,
    folder: PathBuf,
    pub(super) site: Site,
}

impl Crowd {
    /// Starts a nation with so many citizens beside the sample mother, on SQLite or a PostgreSQL server.
    pub(super) async fn of(
        program: &Path,
        citizens: usize,
        database: Option<String>,
        world: &World,
    ) -> anyhow::Result<Self> {
        let folder = ground::folder("crowd", world)?;
        let data = folder.join("data");
        let port = nation::free_ports(world)?;
        prepare::prepare(&data, &Config::default().pack, port, world)?;
        accounts::invite(&data, citizens, world)?;
        let nation = Nation::start_in(program, data, Some(port), database, world).await?;
        let site = Site::of(nation.data.clone(), nation.port)?;
        Ok(Self { nation, folder, site })
    }

    /// All of them, signed in.
    pub(super) async fn citizens(&self) -> anyhow::Result<Vec<Person>> {
        let invited = self.site.samples.iter();
        let invited =
            invited.filter(|s| s.role == "citizen" && s.node == Place::Ministry.id() && s.household > 0);
        let (few, mut all) = (Arc::new(Semaphore::new(AT_ONCE)), JoinSet::new());
        for sample in invited {
            let (site, sample, few) = (self.site.clone(), sample.clone(), Arc::clone(&few));
            all.spawn(async move {
                let _turn = few.acquire().await.context("nobody closes it")?;
                Person::citizen(&site, &sample).await
            });
        }
        let mut people = Vec::new();
        while let Some(person) = all.join_next().await {
            people.push(person??);
        }
        Ok(people)
    }

    /// Ends the nation and takes its folder away.
    pub(super) async fn leave(self) {
        self.nation.stop().await;
        std::fs::remove_dir_all(&self.folder).ok();
    }
}
