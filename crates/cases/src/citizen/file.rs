//! `POST /drafts/{id}/file`: the case gets its code and status 1, and is on its way to its owner, in
//! one write. Never twice: a double click and a stale window end at the same case.

use ::store::Tx;
use axum::response::{IntoResponse, Redirect, Response};
use kernel::fact::Channel;
use kernel::{AreaCode, CaseCode, Fact, Kind, OrgCode, Problem};
use serde_json::json;
use web::openapi::utoipa;
use web::{Fields, Page, Refusal};

use crate::answers::{self, Rules};
use crate::case::{Answers, Applicant, Case, Course};
use crate::citizen::draft::{current, revision};
use crate::citizen::{Citizen, OwnDraft, check, supplement};
use crate::cosign;
use crate::draft::{Attached, Draft};
use crate::inbox::{self, Step};
use crate::mandate::filing as mandate;
use crate::payment::Payment;
use crate::procedure::Procedure;
use crate::rules::Asked;
use crate::state::Cases;
use crate::store::{self as rows, StatusRow};

/// The national status of a filed case: `Mới đăng ký`.
const FILED: u8 = 1;

/// The form's field.
#[derive(web::openapi::ToSchema)]
#[expect(dead_code, reason = "describes the form for OpenAPI; `Fields` reads it")]
pub struct FileForm {
    /// The draft's revision the check was shown with.
    revision: i64,
    /// With a supplement: a word of explanation.
    note: Option<String>,
}

/// Files the case.
#[utoipa::path(post, path = "/drafts/{id}/file", tag = "cases", security(("session" = ["citizen"])),
    params(("id" = String, Path, description = "the draft")),
    request_body(content = FileForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "to the case"), (status = 404),
              (status = 409, description = "changed in another window", content_type = "text/html"),
              (status = 422, description = "the check with what is missing", content_type = "text/html")),
    extensions(("x-facts" = json!(["case-filed", "case-filed-for", "mandate-ended", "fee-asked", "case-submission-made"]))))]
pub(crate) async fn file(own: OwnDraft, page: Page, fields: Fields) -> Result<Response, Refusal> {
    let OwnDraft {
        cases,
        citizen,
        draft,
    } = &own;
    if let Some(code) = &draft.filed_as {
        return Ok(Redirect::to(&filed_at(draft, code)).into_response());
    }
    let papers = own.papers().await?;
    if let Err(stale) = current(draft, revision(&fields)) {
        return Ok(check::show(cases, &page, draft, &papers, &[], &[stale], 409)?);
    }
    let procedure = own.procedure()?;
    let costs = || procedure.dong(&filed(&procedure, draft, cases.today()), cases.today()) > 0;
    if draft.supplements().is_none() && cases.bank.is_none() && costs() {
        return Err(Problem::new(Kind::Unavailable, "bank-missing").into());
    }
    let faults = faults(cases, &procedure, draft, &papers);
    if !faults.is_empty() {
        // Between the two looks another window may have filed, and taken the papers along.
        if let Some(code) = own.newest().await?.filed_as {
            return Ok(Redirect::to(&filed_at(draft, &code)).into_response());
        }
        return Ok(check::show(cases, &page, draft, &papers, &faults, &[], 422)?);
    }
    if let Some(code) = draft.supplements() {
        let note = fields.lines("note").unwrap_or_default();
        return match supplement::send(&own, &papers, &code, &note).await {
            Ok(()) => Ok(Redirect::to(&filed_at(draft, &code)).into_response()),
            Err(problem) if problem.kind == Kind::Invalid => {
                Ok(check::show(cases, &page, draft, &papers, &[], &[problem], 422)?)
            }
            Err(problem) => Err(problem.into()),
        };
    }
    match write(cases, citizen, (&procedure, draft), &papers).await {
        Ok(code) if costs() => Ok(Redirect::to(&format!("/cases/{code}/pay")).into_response()),
        Ok(code) => Ok(Redirect::to(&filed_at(draft, &code)).into_response()),
        Err(problem) if problem.kind == Kind::Invalid => {
            Ok(check::show(cases, &page, draft, &papers, &[], &[problem], 422)?)
        }
        // Two windows at once: whoever came second finds the case that the first one filed.
        Err(problem) if problem.kind == Kind::Conflict => match own.newest().await?.filed_as {
            Some(code) => Ok(Redirect::to(&filed_at(draft, &code)).into_response()),
            None => Err(problem.into()),
        },
        Err(problem) => Err(problem.into()),
    }
}

/// Where a draft that was sent leads: to its new case, or back to the one it supplements.
fn filed_at(draft: &Draft, code: &CaseCode) -> String {
    match draft.supplements() {
        Some(_) => format!("/cases/{code}"),
        None => format!("/cases/{code}?filed=1"),
    }
}

/// Everything the filing does, or nothing of it.
async fn write(
    cases: &Cases,
    citizen: &Citizen,
    (procedure, draft): (&Procedure, &Draft),
    papers: &[Attached],
) -> Result<CaseCode, Problem> {
    mandate::proven(cases, citizen, (procedure, draft), papers).await?;
    let at: AreaCode = draft
        .value(&procedure.receiver)
        .and_then(|a| a.parse().ok())
        .ok_or_else(Problem::stale)?;
    let unit = &cases.receiver(procedure, &at)?;
    cases.files_for(&cases.system, unit, cases.today())?;
    cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            let newest = rows::draft(&tx, &citizen.who.account, &draft.id)
                .await?
                .ok_or_else(Problem::not_found)?;
            if let Some(code) = newest.filed_as {
                return Ok(code);
            }
            cases.still_files(&tx, &newest.version).await?;
            let acting = mandate::standing(&tx, citizen, (procedure, draft)).await?;
            let code = next_code(&tx).await?;
            let mut case = case(&tx, citizen, procedure, draft, unit, &code);
            case.course.cosigned = cosign::signatures(&tx, (procedure, draft), &citizen.number).await?;
            if let Some(acting) = &acting {
                mandate::name(&mut case, acting)?;
            }
            rows::insert_case(&tx, &case, FILED).await?;
            let case_answers = case.answers.clone();
            let told = case.clone();
            let status = StatusRow {
                seq: 0,
                status: FILED,
                at: tx.now(),
                due: None,
                notice: None,
            };
            rows::insert_status(&tx, &code, &status).await?;
            rows::papers_move(&tx, &Draft::subject(&draft.id), &rows::subject(&code)).await?;
            rows::mark_filed(&tx, draft, &code).await?;
            let holder = Draft::subject(&draft.id);
            crate::post::store::move_wish(&tx, &holder, &rows::subject(&code)).await?;
            let filed = Fact::CaseFiled {
                case: code.clone(),
                procedure: case.procedure,
                version: case.version,
                channel: case.channel,
                to: case.unit,
            };
            tx.fact(&rows::subject(&code), filed).await?;
            if let Some(acting) = &acting {
                mandate::note(&tx, &told, acting).await?;
            }
            inbox::tell(&tx, &told, "0", Step::Filed).await?;
            let dong = procedure.dong(&case_answers, tx.now().date());
            if dong > 0 {
                // The case goes to its owner once the fee is paid.
                ask_fee(&tx, &code, unit, dong).await?;
                inbox::tell(&tx, &told, "0-fee", Step::FeeAsked).await?;
            } else {
                tx.outbox(crate::handover::TOPIC, code.as_str(), &json!({ "code": &code }))
                    .await?;
            }
            Ok(code)
        })
        .await
}

/// The fee is owed from now on.
async fn ask_fee(tx: &Tx, code: &CaseCode, unit: &OrgCode, dong: u64) -> Result<(), Problem> {
    let payment = Payment {
        id: tx.id(),
        case: code.clone(),
        charge: crate::payment::FEE,
        dong,
        asked_at: tx.now(),
        order: None,
        paid: None,
        closed_at: None,
    };
    rows::insert_payment(tx, &payment).await?;
    let fact = Fact::FeeAsked {
        case: code.clone(),
        payment: payment.id,
        dong,
        to: unit.clone(),
    };
    tx.fact(&rows::subject(code), fact).await?;
    Ok(())
}

/// The day's next code of this place, without a gap: a refused filing gives its number back.
pub(crate) async fn next_code(tx: &Tx) -> Result<CaseCode, Problem> {
    let day = tx.now().date();
    let ymd = format!(
        "{:02}{:02}{:02}",
        day.year().rem_euclid(100),
        u8::from(day.month()),
        day.day()
    );
    let order = tx.next_number(&format!("case/{}/{ymd}", tx.tenant())).await?;
    Ok(CaseCode::number(
        tx.tenant(),
        day,
        u32::try_from(order).map_err(Problem::internal)?,
    ))
}

fn case(
    tx: &Tx,
    citizen: &Citizen,
    procedure: &Procedure,
    draft: &Draft,
    unit: &OrgCode,
    code: &CaseCode,
) -> Case {
    Case {
        code: code.clone(),
        procedure: procedure.code.clone(),
        version: draft.version,
        unit: unit.clone(),
        channel: Channel::Online,
        applicant: Applicant {
            account: citizen.who.account.clone(),
            number: citizen.number.clone(),
            name: citizen.who.name.clone(),
        },
        answers: filed(procedure, draft, tx.now().date()),
        state: procedure.first_state.clone(),
        revision: 1,
        filed_at: tx.now(),
        accepted: None,
        proposal: None,
        act: None,
        decided: None,
        returned_at: None,
        course: Course::default(),
    }
}

/// The answers that are filed: all but those to what is not asked.
pub(crate) fn filed(procedure: &Procedure, draft: &Draft, today: kernel::Date) -> Answers {
    let mut answers = draft.values();
    Asked::of(procedure, &answers, today).keep(&mut answers);
    answers
}

/// What keeps a draft from being filed, each with its place below the draft's address.
pub(crate) fn faults(
    cases: &Cases,
    procedure: &Procedure,
    draft: &Draft,
    papers: &[Attached],
) -> Vec<(String, Problem)> {
    let receives = |at: &AreaCode| cases.receiver(procedure, at).map(|_| ());
    let mut faults: Vec<(String, Problem)> = answers::faults(procedure, draft, &rules(cases, &receives))
        .into_iter()
        .map(|(page, problem)| {
            (
                format!("pages/{page}#{}", problem.field.as_deref().unwrap_or_default()),
                problem,
            )
        })
        .collect();
    // A supplement leaves the papers that were filed in their place.
    let papers_due = draft.supplements().is_none();
    let missing = Draft::missing_papers(procedure, papers).filter(|_| papers_due);
    faults.extend(missing.map(|p| {
        (
            format!("papers/{}#file", p.code),
            Problem::invalid(&p.code, "paper-missing"),
        )
    }));
    faults
}

/// What answers are held against now.
pub(crate) fn rules<'a>(
    cases: &'a Cases,
    receives: &'a (dyn Fn(&AreaCode) -> Result<(), Problem> + Sync),
) -> Rules<'a> {
    Rules {
        today: cases.today(),
        places: cases.places(),
        receives,
    }
}

impl Cases {
    /// The unit that decides a procedure's cases for a commune.
    ///
    /// # Errors
    /// `commune-unknown`.
    pub(crate) fn unit_of(&self, procedure: &Procedure, at: &AreaCode) -> Result<OrgCode, Problem> {
        let unit = self.organisations.of_area(at, self.today());
        let unit = unit.ok_or_else(|| Problem::invalid(&procedure.receiver, "commune-unknown"))?;
        Ok(match procedure.level.as_str() {
            "province" => unit.code.top(),
            _ => unit.code.clone(),
        })
    }

    /// The unit that receives a case for a commune: its people's committee or its province's.
    ///
    /// # Errors
    /// `commune-unknown`; `commune-not-connected` when no agreement in force lets us hand over there.
    pub fn receiver(&self, procedure: &Procedure, at: &AreaCode) -> Result<OrgCode, Problem> {
        let field = &procedure.receiver;
        let unit = self.unit_of(procedure, at)?;
        let service = crate::handover::service(&unit)?;
        if self
            .exchange
            .may_ask(&self.system, &service, self.store.world().now())
        {
            Ok(unit)
        } else {
            let name = self.organisation_name(&unit.top());
            Err(Problem::new(Kind::Invalid, "commune-not-connected")
                .at(field)
                .with("name", name))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{CHILD, Portal, foreign, lan, mai, officer};

    #[tokio::test]
    async fn filing_gives_the_case_its_code_its_status_and_its_way() {
        let portal = Portal::new().await;
        let path = portal.whole(&lan()).await;
        let went = portal.file(&lan(), &path).await;
        assert_eq!(
            (went.status, went.location()),
            (303, "/cases/G22-261121-0001?filed=1".to_owned())
        );
        let case = portal
            .get(Some(&lan()), "/api/v1/cases/G22-261121-0001")
            .await
            .json();
        assert_eq!(
            (case["status"].clone(), case["unit"].clone()),
            (1.into(), "H56.15865".into())
        );
        assert_eq!(case["statuses"][0]["seq"], 0);
        assert_eq!(portal.facts("case/G22-261121-0001").await, ["case-filed"]);
        let waiting = portal.waiting().await;
        assert_eq!(
            waiting,
            [("case-handover".to_owned(), "G22-261121-0001".to_owned())]
        );
        let draft = portal.get(Some(&lan()), &format!("/api/v1{path}")).await.json();
        assert_eq!(
            (draft["filed_as"].clone(), draft["papers"][0]["code"].clone()),
            ("G22-261121-0001".into(), "GCS".into())
        );
    }

    #[tokio::test]
    async fn a_double_click_and_a_stale_window_end_at_the_same_case() {
        let portal = Portal::new().await;
        let path = portal.whole(&lan()).await;
        let me = lan();
        let (one, two) = tokio::join!(portal.file(&me, &path), portal.file(&me, &path));
        assert_eq!((one.status, two.status), (303, 303));
        assert_eq!(one.location(), two.location());
        assert_eq!(portal.file(&lan(), &path).await.location(), one.location());
        let late = portal.page(&lan(), &path, "child", 1, CHILD).await;
        assert_eq!(late.location(), "/cases/G22-261121-0001");
        let mine = portal.get(Some(&lan()), "/api/v1/cases").await.json();
        assert_eq!(mine["items"].as_array().map(Vec::len), Some(1));
        assert_eq!(portal.waiting().await.len(), 1);
    }

    #[tokio::test]
    async fn what_is_missing_is_listed_and_takes_no_number() {
        let portal = Portal::new().await;
        let path = portal.start(&lan()).await;
        portal.page(&lan(), &path, "child", 1, CHILD).await;
        let told = portal
            .post(Some(&lan()), &format!("{path}/file"), &[("revision", "2")])
            .await;
        assert_eq!(told.status, 422);
        for place in [
            "pages/parents#mother_name",
            "pages/declarant#receive_at",
            "papers/GCS#file",
        ] {
            assert!(told.body.contains(&format!("{path}/{place}")), "{place}");
        }
        assert!(
            !told.body.contains(&format!("<li><a href=\"{path}/pages/child")),
            "what is there is not missing"
        );
        let whole = portal.whole(&lan()).await;
        assert_eq!(
            portal.file(&lan(), &whole).await.location(),
            "/cases/G22-261121-0001?filed=1"
        );
    }

    #[tokio::test]
    async fn a_stale_check_and_a_strangers_draft_are_not_filed() {
        let portal = Portal::new().await;
        let path = portal.whole(&lan()).await;
        let to = format!("{path}/file");
        assert_eq!(
            portal.post(Some(&lan()), &to, &[("revision", "1")]).await.status,
            409
        );
        assert_eq!(portal.post(Some(&lan()), &to, &[]).await.status, 409);
        assert_eq!(
            portal.post(Some(&mai()), &to, &[("revision", "1")]).await.status,
            404
        );
        assert_eq!(portal.post(Some(&foreign()), &to, &[]).await.status, 404);
        assert_eq!(portal.post(Some(&officer()), &to, &[]).await.status, 403);
        assert_eq!(portal.post(None, &to, &[]).await.status, 303);
        assert!(portal.waiting().await.is_empty());
    }

    #[tokio::test]
    async fn a_commune_that_is_not_connected_is_told_before_filing() {
        let portal = Portal::new().await;
        let path = portal.start(&lan()).await;
        // Phường Ba Đình, Hà Nội: no agreement of the sample nation reaches it.
        let told = portal
            .page(
                &lan(),
                &path,
                "declarant",
                1,
                &[("declarant_relation", "mother"), ("receive_at", "00004")],
            )
            .await;
        assert_eq!(told.status, 422);
        assert!(told.body.contains("Hà Nội") && told.body.contains("#receive_at"));
    }

    #[tokio::test]
    async fn numbers_of_a_day_have_no_gap_when_many_file_at_once() {
        let portal = Portal::new().await;
        let mut paths = Vec::new();
        for _ in 0..6 {
            paths.push(portal.whole(&lan()).await);
        }
        let me = lan();
        let filings = paths.iter().map(|path| portal.file(&me, path));
        let mut codes = Vec::new();
        for filed in futures(filings).await {
            codes.push(filed.location());
        }
        codes.sort();
        let wanted: Vec<String> = (1..=6)
            .map(|n| format!("/cases/G22-261121-{n:04}?filed=1"))
            .collect();
        assert_eq!(codes, wanted);
    }

    /// Runs futures side by side.
    async fn futures<F: Future>(all: impl Iterator<Item = F>) -> Vec<F::Output> {
        let mut pinned: Vec<_> = all.map(Box::pin).collect();
        let mut done: Vec<Option<F::Output>> = pinned.iter().map(|_| None).collect();
        std::future::poll_fn(|cx| {
            for (future, slot) in pinned.iter_mut().zip(&mut done) {
                if slot.is_none()
                    && let std::task::Poll::Ready(value) = future.as_mut().poll(cx)
                {
                    *slot = Some(value);
                }
            }
            if done.iter().all(Option::is_some) {
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        })
        .await;
        done.into_iter().flatten().collect()
    }
}
