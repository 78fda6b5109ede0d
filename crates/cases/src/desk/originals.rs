//! `originals`: the papers that were kept with a case went back to its applicant (trả lại bản chính; Decree 61/2018/NĐ-CP,
//! article 20), noted once when the case is over. Never a step of the case: it stays where it is.

use axum::response::Response;
use kernel::{CaseCode, Fact, Kind, Problem};
use web::openapi::utoipa;
use web::{Fields, Json, Principal, Refusal};

use crate::case::Case;
use crate::course::OriginalsReturned;
use crate::desk::official::AtCase;
use crate::desk::step::save;
use crate::desk::view::{self, CaseView, Seen};
use crate::state::Cases;
use crate::store::subject;

/// National statuses of a case that is over, or has its result.
const OVER: [u8; 5] = [3, 7, 8, 9, 10];

/// Notes from the case's page that the originals went back.
#[utoipa::path(post, path = "/desk/cases/{code}/originals", tag = "desk", security(("session" = ["receptionist"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 303, description = "back to the case"), (status = 403), (status = 404), (status = 409)),
    extensions(("x-facts" = json!(["case-originals-returned"]))))]
pub(crate) async fn by_form(at: AtCase, fields: Fields) -> Result<Response, Refusal> {
    at.who.require("receptionist")?;
    let revision = view::revision(&fields)?;
    at.cases.return_originals(&at.who, &at.code, revision).await?;
    Ok(at.back())
}

/// Notes that the originals went back.
#[utoipa::path(post, path = "/api/v1/desk/cases/{code}/originals", tag = "desk", security(("session" = ["receptionist"])),
    params(("code" = String, Path, description = "the case's code")), request_body = Seen,
    responses((status = 200, description = "the case", body = CaseView), (status = 403), (status = 404), (status = 409)),
    extensions(("x-facts" = json!(["case-originals-returned"]))))]
pub(crate) async fn by_json(at: AtCase, Json(seen): Json<Seen>) -> Result<Json<CaseView>, Refusal> {
    at.who.require("receptionist")?;
    at.cases
        .return_originals(&at.who, &at.code, seen.revision)
        .await?;
    at.view().await
}

/// True where the reader can note that the originals went back.
pub(crate) fn may_return(case: &Case, status: u8, roles: &[String]) -> bool {
    let receives = roles.iter().any(|role| role == "receptionist");
    receives && is_open(case, status).is_ok()
}

/// There is something to give back, now.
fn is_open(case: &Case, status: u8) -> Result<u32, Problem> {
    let kept = case
        .course
        .intake
        .as_ref()
        .map_or(0, |intake| intake.on_paper.len());
    let kept = u32::try_from(kept).unwrap_or(u32::MAX);
    if kept == 0 {
        return Err(Problem::new(Kind::Conflict, "originals-none"));
    }
    if case.course.originals.is_some() {
        return Err(Problem::new(Kind::Conflict, "originals-returned"));
    }
    if !OVER.contains(&status) {
        return Err(Problem::new(Kind::Conflict, "originals-early"));
    }
    Ok(kept)
}

impl Cases {
    /// Notes that the originals went back. Pressed twice, it is noted once.
    async fn return_originals(&self, who: &Principal, code: &CaseCode, revision: i64) -> Result<(), Problem> {
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                let held = self.seen(&tx, who, code).await?;
                let (mut case, status) = (held.case, held.status);
                case.not_own(who.subject.as_ref())?;
                if is_done(&case, who, revision) {
                    return Ok(());
                }
                let papers = is_open(&case, status)?;
                case.seen(revision)?;
                let procedure = self.procedure_of(&case)?;
                case.course.originals = Some(OriginalsReturned {
                    by: who.account.clone(),
                    by_name: who.name.clone(),
                    at: tx.now(),
                });
                case.revision += 1;
                save(&tx, &case, &procedure).await?;
                let fact = Fact::CaseOriginalsReturned {
                    case: code.clone(),
                    papers,
                };
                tx.fact(&subject(code), fact).await.map(drop)
            })
            .await
    }
}

/// The second click of the one who has just noted it.
fn is_done(case: &Case, who: &Principal, revision: i64) -> bool {
    let returned = case.course.originals.as_ref();
    returned.is_some_and(|returned| returned.by == who.account) && revision < case.revision
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::course::Intake;
    use crate::testing::{birth, case};

    /// A case with its birth notice kept on paper.
    fn kept() -> Case {
        let mut case = case(&birth());
        case.course.intake = Some(Intake {
            by: "tiep".to_owned(),
            by_name: "Lê Thị Tiếp".to_owned(),
            at: case.unit.clone(),
            on_paper: vec!["GCS".to_owned()],
        });
        case
    }

    #[test]
    fn originals_go_back_once_when_the_case_is_over_and_only_where_some_were_kept() {
        let why = |case: &Case, status| is_open(case, status).map_err(|problem| problem.code);
        let mut case = kept();
        assert_eq!(why(&case, 4), Err("originals-early"));
        for status in OVER {
            assert_eq!(why(&case, status), Ok(1), "{status}");
        }
        let roles = |role: &str| vec![role.to_owned()];
        assert!(may_return(&case, 9, &roles("receptionist")));
        assert!(!may_return(&case, 9, &roles("officer")));
        case.course.originals = Some(OriginalsReturned {
            by: "tiep".to_owned(),
            by_name: "Lê Thị Tiếp".to_owned(),
            at: testkit::START,
        });
        assert_eq!(why(&case, 9), Err("originals-returned"));
        case.course.intake = None;
        case.course.originals = None;
        assert_eq!(why(&case, 9), Err("originals-none"));
    }
}
