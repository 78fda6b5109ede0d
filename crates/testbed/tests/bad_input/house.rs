//! The nations of these tests: one run by the program, shared by all who only send it things.

use kernel::World;
use testbed::birth::Desk;
use testbed::people::Person;
use testbed::program::Program;
use testbed::site::Site;
use tokio::sync::{OnceCell, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// A nation in a process of its own.
pub(crate) struct House {
    /// The process.
    pub(crate) program: Program,
    peace: RwLock<()>,
}

/// The nation that these tests share.
pub(crate) async fn house() -> &'static House {
    static HOUSE: OnceCell<House> = OnceCell::const_new();
    let start = || async {
        let program = Program::up("bad-input", &world()).await.expect("sen up");
        House {
            program,
            peace: RwLock::default(),
        }
    };
    HOUSE.get_or_init(start).await
}

impl House {
    /// Where it is, shared with the others.
    pub(crate) async fn shared(&self) -> (Site, RwLockReadGuard<'_, ()>) {
        (self.program.site.clone(), self.peace.read().await)
    }

    /// Where it is, for one test alone: for who measures the process.
    pub(crate) async fn alone(&self) -> (Site, RwLockWriteGuard<'_, ()>) {
        (self.program.site.clone(), self.peace.write().await)
    }
}

/// The machine's clock and chance: the nation runs by the same.
pub(crate) fn world() -> World {
    World::of_this_machine()
}

/// The sample mother, signed in.
pub(crate) async fn mother(site: &Site) -> Person {
    Person::mother(site).await.expect("the mother signs in")
}

/// The sample officials, signed in.
pub(crate) async fn desk(site: &Site) -> Desk {
    Desk::of(site).await.expect("the officials sign in")
}
