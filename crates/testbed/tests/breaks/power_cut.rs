//! A power cut, without cutting power: see `testbed::power`. Rows in files: a server's disk is the
//! server's matter.

use kernel::World;
use testbed::{ground, power};

#[test]
fn what_was_acknowledged_is_there_when_the_power_returns() {
    ground::run(async {
        let program = ground::program().expect("the program");
        let run = power::run(&program, 2, &World::of_this_machine())
            .await
            .expect("two cuts");
        assert_eq!(run.faults, Vec::<String>::new());
        assert_eq!(run.cuts, 2);
        assert!(run.filed > 0, "somebody filed before the last cut");
        assert!(run.exchanges > 0, "a system was answered before the last cut");
    });
}
