//! Who is refused: somebody without a session, with another role, with another's things, with a
//! session of another node. Every operation that is not public refuses each of them that it can meet.

use sen::up::nation::Place;
use testbed::api::Operation;
use testbed::ground::run;
use testbed::raw::Answer;

use crate::example::{self, Owner};
use crate::stage::{Actor, Stage, stage};

/// What an operation answers to some cookies.
async fn answer(stage: &Stage, place: Place, operation: &Operation, cookie: &str) -> Result<Answer, String> {
    let url = stage.url(place, &example::path(operation, &stage.ids)?);
    let asked = example::asked(operation, cookie);
    asked
        .send(&operation.method, &url)
        .await
        .map_err(|cause| format!("{cause:#}"))
}

/// Goes through the operations and lists what is wrong.
async fn sweep(look: impl AsyncFn(&Stage, Place, &Operation) -> Vec<String>) {
    let stage = stage().await;
    let mut wrong = Vec::new();
    for (place, operation) in stage.all() {
        for fault in look(stage, place, operation).await {
            wrong.push(format!("{} at {}: {fault}", operation.name(), place.id()));
        }
    }
    assert!(wrong.is_empty(), "{} faults: {wrong:#?}", wrong.len());
}

/// What is wrong with an answer to somebody who is not signed in here.
fn not_signed_in(operation: &Operation, told: Result<Answer, String>) -> Vec<String> {
    let told = match told {
        Ok(told) => told,
        Err(fault) => return vec![fault],
    };
    let to_sign_in = told.status == 303 && told.location().starts_with("/sign-in");
    let refused = if operation.is_api() {
        told.status == 401
    } else {
        to_sign_in
    };
    if refused {
        Vec::new()
    } else {
        vec![format!("answered {} {}", told.status, told.location())]
    }
}

#[test]
fn who_is_not_signed_in_is_refused_everywhere_but_in_public() {
    run(sweep(async |stage, place, operation| {
        let told = answer(stage, place, operation, "").await;
        if operation.roles.is_some() {
            return not_signed_in(operation, told);
        }
        match told {
            Ok(told)
                if told.status == 401
                    && operation.method == "GET"
                    && !operation.path.starts_with("/oidc/") =>
            {
                vec!["is public and asks for a session".to_owned()]
            }
            Ok(_) => Vec::new(),
            Err(fault) => vec![fault],
        }
    }));
}

#[test]
fn who_has_another_role_is_refused() {
    run(sweep(async |stage, place, operation| {
        let Some(roles) = &operation.roles else {
            return Vec::new();
        };
        let mut faults = Vec::new();
        let others = |a: &&Actor| a.place == place && !roles.iter().any(|r| r == a.role);
        for actor in stage.actors.iter().filter(others) {
            match answer(stage, place, operation, &actor.cookie).await {
                Ok(told) if matches!(told.status, 403 | 404) => {}
                Ok(told) => faults.push(format!("answered {} to the role {}", told.status, actor.role)),
                Err(fault) => faults.push(fault),
            }
        }
        faults
    }));
}

#[test]
fn an_observer_reads_all_of_the_exchange_that_an_operator_reads_and_changes_nothing() {
    run(sweep(async |stage, place, operation| {
        let of_the_exchange = ["/exchange/", "/api/v1/exchange/", "/api/v1/directory/"];
        let roles = operation.roles.iter().flatten();
        let roles: Vec<&str> = roles.map(String::as_str).collect();
        let is_of_it = of_the_exchange
            .iter()
            .any(|begin| operation.path.starts_with(begin));
        if !is_of_it || !roles.contains(&"operator") {
            return Vec::new();
        }
        let mut observers = stage.actors.iter();
        let observer = observers.find(|a| a.place == place && a.role == "observer");
        let cookie = &observer.expect("everywhere there is one").cookie;
        // A kept body is read with a purpose and leaves a fact: that is an act.
        let reads = operation.method == "GET" && !operation.path.ends_with("/body");
        let mut faults = Vec::new();
        if reads != roles.contains(&"observer") {
            faults.push("says otherwise who may call it".to_owned());
        }
        match answer(stage, place, operation, cookie).await {
            Ok(told) if reads && !matches!(told.status, 401 | 403) => {}
            Ok(told) if !reads && matches!(told.status, 403 | 404) => {}
            Ok(told) => faults.push(format!("answered {} to an observer", told.status)),
            Err(fault) => faults.push(fault),
        }
        faults
    }));
}

#[test]
fn what_belongs_to_somebody_else_does_not_exist() {
    run(async {
        let stage = stage().await;
        let (mut wrong, mut met) = (Vec::new(), 0);
        for (place, operation) in stage.all() {
            let (Some(owner), Some(roles)) = (example::owner(operation), &operation.roles) else {
                continue;
            };
            let at = if owner == Owner::Citizen {
                Place::National
            } else {
                Place::Province
            };
            let here = |a: &&Actor| a.place == place && place == at && roles.iter().any(|r| r == a.role);
            for actor in stage.actors.iter().filter(here) {
                let own = !actor.stranger;
                if own && operation.method != "GET" {
                    continue;
                }
                met += 1;
                match answer(stage, place, operation, &actor.cookie).await {
                    Ok(told) if own && told.status < 400 => {}
                    Ok(told) if !own && told.status == 404 => {}
                    Ok(told) => {
                        let whose = if own { "its own" } else { "another" };
                        wrong.push(format!(
                            "{}: {} to {whose} {}",
                            operation.name(),
                            told.status,
                            actor.role
                        ));
                    }
                    Err(fault) => wrong.push(fault),
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert!(met > 40, "only {met} were met");
    });
}

#[test]
fn a_session_of_another_node_is_none_here() {
    run(sweep(async |stage, place, operation| {
        let Some(roles) = &operation.roles else {
            return Vec::new();
        };
        let here = stage
            .actors
            .iter()
            .find(|a| a.place == place)
            .expect("somebody is here");
        let mut faults = Vec::new();
        for foreign in stage.actors.iter().filter(|a| a.place != place && !a.stranger) {
            // Somebody who could, were it their node; under their own cookie's name and under this node's.
            if !roles.iter().any(|r| r == foreign.role) && foreign.role != "operator" {
                continue;
            }
            let cookie = format!(
                "{0}={2}; {1}={2}",
                foreign.session.0, here.session.0, foreign.session.1
            );
            faults.extend(not_signed_in(
                operation,
                answer(stage, place, operation, &cookie).await,
            ));
        }
        faults
    }));
}
