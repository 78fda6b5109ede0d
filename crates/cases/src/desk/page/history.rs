//! What happened to a case, in words, and who did it. Never a look: the log of reads has those.

use std::collections::HashMap;

use identity::Accounts;
use kernel::fact::{DraftAnswer, Outcome};
use kernel::{Actor, Fact, FactRecord, OrgCode, Problem};
use web::Page;

use crate::case::Case;
use crate::payment::dong;
use crate::state::Cases;

/// Something that happened to the case.
pub(super) struct Event {
    pub(super) at: String,
    pub(super) time: String,
    pub(super) text: String,
    pub(super) by: String,
}

/// The officials of a case's facts by name; who has left and has no account any more stays an id.
pub(super) async fn names(cases: &Cases, facts: &[FactRecord]) -> Result<HashMap<String, String>, Problem> {
    let accounts = Accounts::new(cases.store.clone(), cases.tenant.clone());
    let mut names: HashMap<String, String> = HashMap::new();
    let ids = facts.iter().flat_map(|record| {
        let by = match &record.actor {
            Actor::Official(id) => Some(id),
            _ => None,
        };
        let to = match &record.fact {
            Fact::CaseAssigned { to, .. } => Some(to),
            _ => None,
        };
        by.into_iter().chain(to)
    });
    let ids: Vec<&String> = ids.collect();
    for id in ids {
        if !names.contains_key(id)
            && let Some(account) = accounts.get(id).await?
        {
            names.insert(id.clone(), account.name);
        }
    }
    for unit in facts.iter().flat_map(|record| asked(&record.fact)) {
        names.insert(unit.to_string(), cases.organisation_name(unit));
    }
    Ok(names)
}

/// The units that a fact about an opinion names.
fn asked(fact: &Fact) -> Vec<&OrgCode> {
    match fact {
        Fact::CaseConsulted { unit, .. } | Fact::CaseConsultLate { unit, .. } => vec![unit],
        Fact::CaseConsultMoved { from, to, .. } => vec![from, to],
        Fact::CaseEscalated { to, .. } => vec![to],
        _ => Vec::new(),
    }
}

/// What a unit is called.
fn called(names: &HashMap<String, String>, unit: &OrgCode) -> String {
    names
        .get(unit.as_str())
        .cloned()
        .unwrap_or_else(|| unit.to_string())
}

/// The filing and what came after it.
pub(super) fn timeline(
    page: &Page,
    case: &Case,
    facts: &[FactRecord],
    names: &HashMap<String, String>,
) -> Vec<Event> {
    let event = |at: kernel::Time, text: String, by: String| Event {
        at: at.rfc3339(),
        time: page.time(at),
        text,
        by,
    };
    let filed = event(case.filed_at, page.t("desk-fact-filed"), String::new());
    let told = facts.iter().filter_map(|record| {
        let text = happened(page, &record.fact, names)?;
        Some(event(record.at, text, by(page, case, &record.actor, names)))
    });
    std::iter::once(filed).chain(told).collect()
}

/// A fact in words; looks are left out, the log of reads has them.
fn happened(page: &Page, fact: &Fact, names: &HashMap<String, String>) -> Option<String> {
    let with_number = |key, number: &String| page.tw(key, &[("number", number.clone())]);
    Some(match fact {
        Fact::CaseReceived {
            from,
            unit: Some(unit),
            ..
        } if from.top() == unit.top() => page.t("desk-fact-handed-in"),
        Fact::CaseReceived { .. } => page.t("desk-fact-received"),
        Fact::CaseAccepted { .. } => page.t("desk-fact-accepted"),
        Fact::CaseProposed { outcome, .. } => match outcome {
            Outcome::Granted => page.t("desk-fact-proposed-granted"),
            Outcome::Refused => page.t("desk-fact-proposed-refused"),
        },
        Fact::CaseActEntered { number, .. } => with_number("desk-fact-act-entered", number),
        Fact::CaseActFound { number, .. } => with_number("desk-fact-act-found", number),
        Fact::CaseActWithdrawn { number, .. } => with_number("desk-fact-act-withdrawn", number),
        Fact::CaseSentBack { .. } => page.t("desk-fact-sent-back"),
        Fact::CaseResultDraftSent { .. } => page.t("desk-fact-draft-sent"),
        Fact::CaseResultDraftAnswered { answer, .. } => match answer {
            DraftAnswer::Agreed => page.t("desk-fact-draft-agreed"),
            DraftAnswer::Silent => page.t("desk-fact-draft-silent"),
            DraftAnswer::Objected => page.t("desk-fact-draft-objected"),
        },
        Fact::CaseSigned { .. } => page.t("desk-fact-signed"),
        Fact::CaseApologised { .. } => page.t("desk-fact-apologised"),
        Fact::CaseRecounted { due, .. } => page.tw("desk-fact-recounted", &[("due", page.time(*due))]),
        Fact::CaseMended { .. } => page.t("desk-fact-mended"),
        Fact::CaseMigrated { .. } => page.t("desk-fact-migrated"),
        Fact::CaseImported { from, .. } => page.tw("desk-fact-imported", &[("from", from.clone())]),
        Fact::CaseDeclined { .. } => page.t("desk-fact-declined"),
        Fact::CaseSupplementAsked { .. } => page.t("desk-fact-supplement-asked"),
        Fact::CaseSupplemented { .. } => page.t("desk-fact-supplemented"),
        Fact::CaseChargeAsked { dong: owed, .. } => {
            page.tw("desk-fact-charge-asked", &[("amount", dong(*owed))])
        }
        Fact::CaseChargePaid { dong: paid, .. } => {
            page.tw("desk-fact-charge-paid", &[("amount", dong(*paid))])
        }
        Fact::CaseWithdrawn { .. } => page.t("desk-fact-withdrawn"),
        Fact::CaseStopped { .. } => page.t("desk-fact-stopped"),
        Fact::CaseOriginalsReturned { .. } => page.t("desk-fact-originals"),
        Fact::CaseFollowUpFailed { .. } => page.t("desk-fact-follow-failed"),
        Fact::CaseFollowUpAgain { .. } => page.t("desk-fact-follow-again"),
        Fact::CaseConsulted { unit, due, .. } => {
            let args = [("unit", called(names, unit)), ("due", page.time(*due))];
            page.tw("desk-fact-consulted", &args)
        }
        Fact::CaseConsultAnswered { consult, late, .. } => {
            let key = if *late {
                "desk-fact-consult-late-answer"
            } else {
                "desk-fact-consult-answered"
            };
            page.tw(key, &[("number", consult.to_string())])
        }
        Fact::CaseConsultEnded { consult, .. } => {
            page.tw("desk-fact-consult-ended", &[("number", consult.to_string())])
        }
        Fact::CaseConsultLate { unit, .. } => {
            page.tw("desk-fact-consult-late", &[("unit", called(names, unit))])
        }
        Fact::CaseConsultMoved { from, to, .. } => {
            let units = [("from", called(names, from)), ("to", called(names, to))];
            page.tw("desk-fact-consult-moved", &units)
        }
        Fact::CaseChecked { state, .. } => page.t(&format!("desk-fact-check-{state}")),
        Fact::CaseCheckAgain { .. } => page.t("desk-fact-check-again"),
        Fact::CaseCheckSettled { .. } => page.t("desk-fact-check-settled"),
        Fact::CaseEscalated { to, .. } => page.tw("desk-fact-escalated", &[("unit", called(names, to))]),
        Fact::CaseRated { score, .. } => page.tw("desk-fact-rated", &[("score", score.to_string())]),
        Fact::CaseAssigned { to, .. } => {
            let name = names.get(to).unwrap_or(to).clone();
            page.tw("desk-fact-assigned", &[("name", name)])
        }
        Fact::CaseMoved { from, to, .. } => {
            let units = [("from", from.to_string()), ("to", to.to_string())];
            page.tw("desk-fact-moved", &units)
        }
        Fact::CaseDecided { .. } => page.t("desk-fact-decided"),
        Fact::CaseReturned { .. } => page.t("desk-fact-returned"),
        Fact::CasePostWished { by_post, .. } => match by_post {
            true => page.t("desk-fact-post-wished"),
            false => page.t("desk-fact-post-not-wished"),
        },
        Fact::CasePosted { parcel, .. } => with_number("desk-fact-posted", parcel),
        Fact::CaseParcelEnded { outcome, parcel, .. } => match outcome.as_str() {
            "delivered" => with_number("desk-fact-parcel-delivered", parcel),
            "came-back" => with_number("desk-fact-parcel-came-back", parcel),
            _ => with_number("desk-fact-parcel-given", parcel),
        },
        Fact::CaseAnswerPublished { number, .. } => with_number("desk-fact-published", number),
        Fact::CaseAnswerUnpublished { number, .. } => with_number("desk-fact-unpublished", number),
        _ => return None,
    })
}

fn by(page: &Page, case: &Case, actor: &Actor, names: &HashMap<String, String>) -> String {
    match actor {
        Actor::Platform => page.t("desk-role-platform"),
        Actor::Anonymous => page.t("desk-role-anonymous"),
        Actor::Official(id) => names.get(id).unwrap_or(id).clone(),
        Actor::Citizen(id) => match &case.course.representative {
            Some(by) if by.account == *id => page.t("desk-representative"),
            _ => page.t("desk-applicant"),
        },
        Actor::System(id) => id.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use identity::{Accounts, NewAccount};
    use kernel::Actor;

    use crate::desk::testing::{CASE, Desk};

    #[tokio::test]
    async fn what_happened_names_the_officials_and_nobody_by_an_account() {
        let desk = Desk::new().await;
        desk.verb("tiep", "accept", json!({})).await;
        let path = format!("/desk/cases/{CASE}");
        let before = desk.get("tich", &path).await.body;
        assert!(!before.contains("Hoàng Thị Tiếp"), "she has no account here yet");
        let account = NewAccount {
            id: "tiep".to_owned(),
            user: "tiep".to_owned(),
            password: None,
            name: "Hoàng Thị Tiếp".to_owned(),
            subject: None,
            born: None,
            level: 0,
            roles: vec!["receptionist".to_owned()],
            unit: "H56.14857".parse().expect("a code"),
        };
        let accounts = Accounts::new(desk.temp.store.clone(), desk.cases.tenant.clone());
        accounts.open(&Actor::Platform, &account).await.expect("opened");
        let page = desk.get("tich", &path).await.body;
        assert!(page.contains("Hoàng Thị Tiếp"));
    }
}
