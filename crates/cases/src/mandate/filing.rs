//! A draft that is filed for somebody else: the mandate is held against the procedure and the day, what a register said is
//! asked once more, and the case names its applicant and who filed it. Nothing is filed under a mandate that does not stand in
//! the very write.

use ::store::Tx;
use kernel::{Fact, Problem};

use super::{Mandate, PAPER, Representative, State, choose, prove, store, subject};
use crate::case::{Applicant, Case};
use crate::citizen::Citizen;
use crate::citizen::paper::papers_bytes_max;
use crate::draft::{Attached, Draft};
use crate::procedure::{Procedure, Proof, Whom};
use crate::state::Cases;
use crate::store as rows;

/// Holds a draft’s mandate against its procedure before it is filed, and has the register say once more what it rests on.
///
/// # Errors
/// 422 at `mandate` as [`Mandate::stands_for`]; `mandate-answer-other` when the form names somebody else;
/// `papers-too-large`; `mandate-ended` when the register denies it now, which ends it; the gateway's refusals when the
/// register gives no answer.
pub(crate) async fn proven(
    cases: &Cases,
    citizen: &Citizen,
    (procedure, draft): (&Procedure, &Draft),
    papers: &[Attached],
) -> Result<(), Problem> {
    let Some(id) = &draft.mandate else {
        return Ok(());
    };
    let reader = cases.store.read(&cases.tenant).await?;
    let mandate = choose::held(&reader, citizen, id).await?;
    drop(reader);
    let mandate = &mandate.ok_or_else(Problem::not_found)?;
    usable(mandate, (procedure, draft), citizen.today)?;
    let attached: u64 = papers.iter().map(|paper| paper.size).sum();
    let all = attached + mandate.paper.as_ref().map_or(0, |paper| paper.size);
    if all > papers_bytes_max(cases) {
        let max = papers_bytes_max(cases) >> 20;
        return Err(Problem::invalid("mandate", "papers-too-large").with("max", max));
    }
    let rule = cases.catalogue.mandates().rule(mandate.whom, citizen.today);
    let Some((rule, register)) = rule.and_then(|rule| Some((rule, rule.register.as_ref()?))) else {
        return Ok(());
    };
    match prove::ask(cases, citizen, (rule, register), &mandate.represented).await {
        Ok(_) => Ok(()),
        Err(problem) if prove::DENIALS.contains(&problem.code) => {
            end(cases, citizen, mandate, problem.code).await?;
            Err(problem.at("mandate"))
        }
        Err(problem) => Err(problem),
    }
}

/// What a mandate rests on is not so any more.
async fn end(cases: &Cases, citizen: &Citizen, mandate: &Mandate, why: &str) -> Result<(), Problem> {
    cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            let newest = store::one(&tx, &mandate.id).await?;
            let mut newest = newest.ok_or_else(Problem::not_found)?;
            if newest.state == State::Ended {
                return Ok(());
            }
            newest.state = State::Ended;
            store::save(&tx, &newest).await?;
            let fact = Fact::MandateEnded {
                mandate: newest.id.clone(),
                why: why.to_owned(),
            };
            tx.fact(&subject(&newest.id), fact).await.map(drop)
        })
        .await
}

fn usable(
    mandate: &Mandate,
    (procedure, draft): (&Procedure, &Draft),
    on: kernel::Date,
) -> Result<(), Problem> {
    mandate.stands_for(procedure, on)?;
    let field = procedure
        .represents(mandate.whom)
        .and_then(|one| one.field.as_deref());
    let named = field.and_then(|field| draft.value(field));
    if field.is_some() && named != Some(mandate.represented.as_str()) {
        let problem = Problem::invalid("mandate", "mandate-answer-other");
        return Err(problem.with("mandate", mandate.short()));
    }
    Ok(())
}

/// The mandate of a draft in the write that files it; nothing when it is filed for its citizen.
///
/// # Errors
/// As [`proven`].
pub(crate) async fn standing(
    tx: &Tx,
    citizen: &Citizen,
    (procedure, draft): (&Procedure, &Draft),
) -> Result<Option<Mandate>, Problem> {
    let Some(id) = &draft.mandate else {
        return Ok(None);
    };
    let mandate = choose::held(tx, citizen, id).await?;
    let mandate = mandate.ok_or_else(Problem::not_found)?;
    usable(&mandate, (procedure, draft), tx.now().date())?;
    Ok(Some(mandate))
}

/// Makes the represented one the applicant of a new case, and says who filed it.
pub(crate) fn name(case: &mut Case, mandate: &Mandate) -> Result<(), Problem> {
    let number = match mandate.whom {
        // A company has no personal number: the case bears that of who speaks for it.
        Whom::Company => mandate.representative.number.clone(),
        Whom::Child | Whom::Person => mandate.represented.parse().map_err(Problem::internal)?,
    };
    case.applicant = Applicant {
        account: mandate.represented_account.clone().unwrap_or_default(),
        number,
        name: mandate.name.clone(),
    };
    case.course.representative = Some(Representative::of(mandate));
    Ok(())
}

/// Notes for whom a new case was filed, with the paper of the mandate among its own.
///
/// # Errors
/// Unavailable.
pub(crate) async fn note(tx: &Tx, case: &Case, mandate: &Mandate) -> Result<(), Problem> {
    store::note_case(tx, case, mandate).await?;
    let holder = rows::subject(&case.code);
    if let Some(paper) = mandate.paper.as_ref().filter(|_| mandate.proof == Proof::Paper) {
        let attached = Attached {
            code: PAPER.to_owned(),
            name: paper.name.clone(),
            media: "application/pdf".to_owned(),
            size: paper.size,
            digest: paper.digest,
        };
        rows::attach(tx, &holder, &attached).await?;
    }
    let fact = Fact::CaseFiledFor {
        case: case.code.clone(),
        mandate: mandate.id.clone(),
    };
    tx.fact(&holder, fact).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::procedure::Represent;
    use crate::testing::{birth, case};
    use kernel::time::parse_iso;

    fn mandate(whom: Whom, represented: &str) -> Mandate {
        let day = |text| parse_iso(text).expect("a day");
        Mandate {
            id: "0123456789abcdef".to_owned(),
            whom,
            represented: represented.to_owned(),
            name: "Công ty Một (mẫu)".to_owned(),
            represented_account: None,
            representative: Applicant {
                account: "mai".to_owned(),
                number: "038192000003".parse().expect("a number"),
                name: "Lê Thị Mai".to_owned(),
            },
            scope: Vec::new(),
            from: day("2026-11-01"),
            to: day("2026-12-31"),
            proof: Proof::Register,
            state: State::Confirmed,
            request: "1".repeat(32),
            paper: None,
            made_at: testkit::START,
            changed_at: testkit::START,
        }
    }

    #[test]
    fn a_companys_case_bears_its_name_and_the_number_of_who_speaks_for_it() {
        let mut procedure = (*birth()).clone();
        procedure.represent = vec![Represent {
            whom: Whom::Company,
            proofs: vec![Proof::Register],
            field: None,
        }];
        let mut case = case(&procedure);
        name(&mut case, &mandate(Whom::Company, "9900000016")).expect("named");
        let applicant = &case.applicant;
        assert_eq!(
            (
                applicant.name.as_str(),
                applicant.account.as_str(),
                applicant.number.as_str()
            ),
            ("Công ty Một (mẫu)", "", "038192000003")
        );
        assert_eq!(case.filed_by(), "mai");
        let by = case.course.representative.as_ref().expect("who filed it");
        assert_eq!(by.represented, "9900000016");
        assert!(by.fits(&procedure, applicant, case.filed_at.date()));
        let own = "038192000003".parse().expect("a number");
        assert!(
            case.not_own(Some(&own)).is_err(),
            "nobody decides what they filed for another"
        );
    }

    #[test]
    fn a_mandate_stands_from_its_first_day_to_its_last() {
        let mut procedure = (*birth()).clone();
        procedure.represent = vec![Represent {
            whom: Whom::Child,
            proofs: vec![Proof::Register],
            field: None,
        }];
        let mandate = mandate(Whom::Child, "038315000001");
        let told = |day: &str| {
            let stands = mandate.stands_for(&procedure, parse_iso(day).expect("a day"));
            stands.err().map(|problem| problem.code)
        };
        assert_eq!(told("2026-10-31"), Some("mandate-not-begun"));
        assert_eq!((told("2026-11-01"), told("2026-12-31")), (None, None));
        assert_eq!(told("2027-01-01"), Some("mandate-ended"));
    }
}
