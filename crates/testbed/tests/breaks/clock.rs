//! Clocks that jump forward and back by hours and days, under a nation that goes on.

use sen::up::nation::Place;
use testbed::birth::{self, Answers, Desk};
use testbed::ground;
use testbed::nation::Nation;
use testbed::people::Person;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

#[test]
fn a_clock_that_jumps_refuses_nobody_for_ever_and_turns_no_order_around() {
    ground::run(async {
        let nation = Nation::start("clock").await.expect("a nation");
        let answers = Answers::usual(&nation.world).expect("answers");
        let paper = birth::paper(&nation.world).expect("a paper");
        let mut filed = Vec::new();
        for jump in [0, 2 * HOUR_MS, 3 * DAY_MS, -2 * DAY_MS, -5 * HOUR_MS, DAY_MS] {
            nation.shift_ms(jump);
            // Sessions may have ended; signing in is never refused for the jump.
            let mut mother = Person::mother(&nation.site)
                .await
                .unwrap_or_else(|e| panic!("{jump}: {e:#}"));
            let code = birth::whole(&mut mother, &answers.another(&nation.world), &paper).await;
            filed.push(code.unwrap_or_else(|e| panic!("after a jump of {jump} ms: {e:#}")));
            let mut desk = Desk::of(&nation.site).await.expect("officials sign in");
            let code = filed.last().expect("one");
            desk.decide(code)
                .await
                .unwrap_or_else(|e| panic!("after a jump of {jump} ms: {e:#}"));
            birth::at_portal(&mut mother, code, |case| case["status"] == 10)
                .await
                .unwrap_or_else(|e| panic!("the outbox after a jump of {jump} ms: {e:#}"));
        }
        for place in sen::up::nation::PLACES {
            let facts = nation.facts(place, 0).await.expect("facts");
            let mut last = std::collections::BTreeMap::new();
            for (_, fact) in &facts {
                let before = last.insert((fact.tenant.clone(), fact.subject.clone()), (fact.seq, fact.at));
                let (seq, at) = before.unwrap_or((0, kernel::Time(0)));
                assert_eq!(fact.seq, seq + 1, "{}", fact.subject);
                assert!(fact.at >= at, "the times of {} go back", fact.subject);
            }
        }
        for place in sen::up::nation::PLACES {
            nation.stop_node(place).await;
        }
        for place in [Place::National, Place::Ministry, Place::Province] {
            nation.start_node(place).await.expect("starts after all that");
        }
    });
}
