//! What the descriptions say, held against the house's rules and against the facts that exist.

use sen::up::nation::PLACES;
use testbed::ground::run;

use crate::stage::stage;

#[test]
fn every_operation_says_who_may_call_it_and_what_it_leaves() {
    run(async {
        let stage = stage().await;
        for place in PLACES {
            let said = stage.nation.description(place).await.expect("a description");
            let api: web::openapi::utoipa::openapi::OpenApi = serde_json::from_value(said).expect("OpenAPI");
            assert_eq!(web::openapi::faults(&api), Vec::<String>::new(), "{}", place.id());
            assert!(
                stage.operations[&place].len() > 10,
                "{} offers something",
                place.id()
            );
        }
    });
}

#[test]
fn every_fact_that_a_description_names_exists() {
    run(async {
        // A name that is none makes the reader list all that are.
        let asked =
            serde_json::from_str::<kernel::Fact>(r#"{"fact":"none"}"#).expect_err("there is no such fact");
        let known = asked.to_string();
        for (place, operation) in stage().await.all() {
            for fact in &operation.facts {
                assert!(
                    known.contains(&format!("`{fact}`")),
                    "{} at {}: {fact}",
                    operation.name(),
                    place.id()
                );
            }
        }
    });
}

#[test]
fn every_changing_operation_leaves_a_fact_it_names() {
    run(async {
        let stage = stage().await;
        let mut wrong = Vec::new();
        for (place, operation) in stage.all().filter(|(_, o)| o.changes()) {
            match stage.played.get(&operation.name()) {
                None => wrong.push(format!(
                    "{} at {}: never called with success",
                    operation.name(),
                    place.id()
                )),
                Some(Some(fault)) => wrong.push(format!("{} at {}: {fault}", operation.name(), place.id())),
                Some(None) => {}
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    });
}
