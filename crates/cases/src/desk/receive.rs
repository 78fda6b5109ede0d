//! The service that takes a case over from the portal where it was filed: once, whole, and checked
//! as if nobody had checked it before. Never starts the clock: acceptance does.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use exchange::{Answer, Call, Service, ServiceId, SystemId};
use kernel::{Actor, Digest, Fact, Kind, Problem};

use crate::answers::{TEXT_CHARS_MAX, chars_max};
use crate::case::{Case, Course};
use crate::desk::fee_receipt;
use crate::draft::Attached;
use crate::handover::{Handover, HandoverPaper, Received};
use crate::mandate;
use crate::post::ByPost;
use crate::procedure::{Procedure, Proof};
use crate::state::Cases;
use crate::store::{self as rows, StatusRow, subject};

/// `receive-case` of the place's system.
#[derive(Debug)]
pub struct ReceiveCase(pub(crate) Cases);

#[async_trait]
impl Service for ReceiveCase {
    fn id(&self) -> ServiceId {
        ServiceId {
            org: self.0.system.org.clone(),
            system: self.0.system.system.clone(),
            service: "receive-case".to_owned(),
        }
    }

    async fn call(&self, call: Call) -> Result<Answer, Problem> {
        let handed: Handover = web::json::read(&call.body, self.0.store.limits().json_depth_max)?;
        self.0.check_portal(&handed, &call.consumer)?;
        self.0.receive(&handed, &call.consumer).await?;
        self.0.move_received(&handed.code).await?;
        Answer::json(&Received {
            case: handed.code,
            received: true,
        })
    }
}

impl Cases {
    /// A case is taken from the portal it names, and only from the one that filed for its unit on that day.
    fn check_portal(&self, handed: &Handover, consumer: &SystemId) -> Result<(), Problem> {
        if handed.portal != *consumer {
            return Err(Problem::new(Kind::Forbidden, "case-not-your-portal"));
        }
        self.files_for(consumer, &handed.unit, handed.filed_at.date())
    }

    async fn receive(&self, handed: &Handover, consumer: &SystemId) -> Result<(), Problem> {
        self.adopt_version(&handed.version, &handed.procedure, handed.document.as_deref())
            .await?;
        let procedure = self.check_case(handed)?;
        let mut papers = Vec::with_capacity(handed.papers.len());
        for paper in &handed.papers {
            papers.push(match is_mandate(handed, &paper.code) {
                true => self.take_file(paper).await?,
                false => self.take_paper(&procedure, paper).await?,
            });
        }
        papers.sort_by(|a, b| a.code.cmp(&b.code));
        let mut case = as_case(handed, &procedure);
        case.course.post = self.wished(handed, &procedure)?;
        let (case, papers, from) = (&case, &papers, &consumer.org);
        let status = case.status(&procedure);
        let actor = Actor::System(consumer.to_string());
        self.store
            .write(&self.tenant, &actor, |tx| async move {
                let holder = subject(&case.code);
                if let Some(held) = rows::case(&tx, &case.code).await? {
                    // What a supplement has changed since is not what was handed over.
                    let supplement = held.case.course.supplement.as_ref();
                    if supplement.is_some_and(|s| s.given_at.is_some()) {
                        return Ok(());
                    }
                    let unit = crate::merger::job::first_unit(&tx, &held.case).await?;
                    let same = is_same(&Case { unit, ..held.case }, case)
                        && rows::papers(&tx, &holder).await? == *papers;
                    return if same { Ok(()) } else { Err(altered()) };
                }
                rows::insert_case(&tx, case, status).await?;
                crate::post::store::follow(&tx, case, status).await?;
                for paper in papers {
                    rows::attach(&tx, &holder, paper).await?;
                }
                let filed = StatusRow {
                    seq: 0,
                    status,
                    at: case.filed_at,
                    due: None,
                    notice: None,
                };
                rows::insert_status(&tx, &case.code, &filed).await?;
                let fact = Fact::CaseReceived {
                    case: case.code.clone(),
                    procedure: case.procedure.clone(),
                    version: case.version,
                    channel: case.channel,
                    from: from.clone(),
                    unit: Some(case.unit.clone()),
                };
                tx.fact(&holder, fact).await?;
                if case.course.post.is_some() {
                    let fact = Fact::CasePostWished {
                        case: case.code.clone(),
                        by_post: true,
                    };
                    tx.fact(&holder, fact).await?;
                }
                if case.course.paid.is_some() {
                    fee_receipt::enqueue(&tx, &case.code, crate::payment::FEE).await?;
                }
                Ok(())
            })
            .await
    }

    /// That the result is wished by post, and can be.
    fn wished(&self, handed: &Handover, procedure: &Procedure) -> Result<Option<ByPost>, Problem> {
        let Some(wish) = &handed.post else {
            return Ok(None);
        };
        if !self.offers_post(procedure, handed.filed_at.date()) {
            return Err(Problem::invalid("post", "post-not-offered"));
        }
        let by_post = self.by_post(wish, &handed.unit, handed.filed_at);
        by_post.map(Some).map_err(|problem| problem.at("post"))
    }

    /// The procedure's version, its unit and its answers are ones we know.
    fn check_case(&self, handed: &Handover) -> Result<std::sync::Arc<Procedure>, Problem> {
        let procedure = self
            .version(&handed.version)
            .ok()
            .filter(|p| p.code == handed.procedure)
            .ok_or_else(|| Problem::invalid("version", "case-version-unknown"))?;
        if !self.takes_for(&handed.unit, handed.filed_at.date()) {
            return Err(Problem::invalid("unit", "case-unit-unknown"));
        }
        let by = handed.representative.as_ref();
        if by.is_some_and(|by| !by.fits(&procedure, &handed.applicant, handed.filed_at.date())) {
            return Err(Problem::invalid("representative", "case-representative-wrong"));
        }
        let on_paper = by.is_some_and(|by| by.proof == Proof::Paper);
        if on_paper && !handed.papers.iter().any(|paper| paper.code == mandate::PAPER) {
            return Err(Problem::invalid("papers", "case-paper-missing"));
        }
        let paid = handed.paid.as_ref().map_or(0, |paid| paid.dong);
        let owed = procedure.dong(&handed.answers, handed.filed_at.date());
        if paid != owed {
            return Err(Problem::invalid("paid", "case-fee-unpaid").with("owed", owed));
        }
        for (field, answer) in &handed.answers {
            let question = procedure.question(field);
            let asked = question.is_some() || procedure.source_of(field).is_some();
            if !asked || answer.chars().count() > question.map_or(TEXT_CHARS_MAX, chars_max) {
                return Err(Problem::invalid("answers", "case-answer-unknown"));
            }
        }
        let missing = procedure
            .papers
            .iter()
            .find(|p| p.required && !handed.papers.iter().any(|h| h.code == p.code));
        if missing.is_some() {
            return Err(Problem::invalid("papers", "case-paper-missing"));
        }
        let mut codes: Vec<_> = handed.papers.iter().map(|p| &p.code).collect();
        codes.sort_unstable();
        if codes.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(Problem::invalid("papers", "case-paper-twice"));
        }
        Ok(procedure)
    }

    /// The bytes are what the digest says, and a PDF, and kept before the row that points to them.
    pub(crate) async fn take_paper(
        &self,
        procedure: &Procedure,
        paper: &HandoverPaper,
    ) -> Result<Attached, Problem> {
        if procedure.paper(&paper.code).is_none() {
            return Err(Problem::invalid("papers", "case-paper-unknown"));
        }
        self.take_file(paper).await
    }

    /// The same of a paper that no procedure names.
    async fn take_file(&self, paper: &HandoverPaper) -> Result<Attached, Problem> {
        let bad = |code| Problem::invalid("papers", code);
        let bytes = STANDARD
            .decode(&paper.bytes_base64)
            .map_err(|_| bad("case-paper-damaged"))?;
        if bytes.len() as u64 != paper.size || Digest::of(&bytes) != paper.digest {
            return Err(bad("case-paper-damaged"));
        }
        if paper.media != "application/pdf" || !seal::pdf::looks_like_pdf(&bytes) {
            return Err(bad("case-paper-not-pdf"));
        }
        let digest = self.store.blobs().put(&bytes).await?;
        Ok(Attached {
            code: paper.code.clone(),
            name: kernel::text::clean(&paper.name),
            media: paper.media.clone(),
            size: paper.size,
            digest,
        })
    }
}

/// True for the paper on which a mandate rests.
fn is_mandate(handed: &Handover, code: &str) -> bool {
    let by = handed.representative.as_ref();
    code == mandate::PAPER && by.is_some_and(|by| by.proof == Proof::Paper)
}

fn altered() -> Problem {
    Problem::new(Kind::Conflict, "case-altered")
}

/// The same case as at its first coming; what was done with it since does not matter.
fn is_same(held: &Case, handed: &Case) -> bool {
    held.procedure == handed.procedure
        && held.version == handed.version
        && held.unit == handed.unit
        && held.channel == handed.channel
        && held.applicant == handed.applicant
        && held.course.representative == handed.course.representative
        && held.answers == handed.answers
        && held.filed_at == handed.filed_at
}

fn as_case(handed: &Handover, procedure: &Procedure) -> Case {
    Case {
        code: handed.code.clone(),
        procedure: handed.procedure.clone(),
        version: handed.version,
        unit: handed.unit.clone(),
        channel: handed.channel,
        applicant: handed.applicant.clone(),
        answers: handed.answers.clone(),
        state: procedure.first_state.clone(),
        revision: 1,
        filed_at: handed.filed_at,
        accepted: None,
        proposal: None,
        act: None,
        decided: None,
        returned_at: None,
        course: Course {
            paid: handed.paid.clone(),
            cosigned: handed.cosigned.clone(),
            representative: handed.representative.clone(),
            ..Course::default()
        },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use crate::desk::testing::{CASE, Desk, code, handover, paper};
    use crate::store::{self as rows, subject};

    #[tokio::test]
    async fn a_case_is_received_once_and_answers_the_same_when_sent_again() {
        let desk = Desk::empty().await;
        let first = desk.receive(&handover()).await.expect("received");
        assert_eq!(first, json!({"case": CASE, "received": true}));
        assert_eq!(desk.receive(&handover()).await.expect("received"), first);
        let (one, two) = (handover(), handover());
        let (one, two) = tokio::join!(desk.receive(&one), desk.receive(&two));
        assert_eq!(
            (one.expect("received"), two.expect("received")),
            (first.clone(), first.clone())
        );
        desk.to_sign().await;
        assert_eq!(
            desk.receive(&handover()).await.expect("received"),
            first,
            "whatever was done since"
        );
        let received = desk
            .facts()
            .await
            .iter()
            .filter(|f| *f == "case-received")
            .count();
        assert_eq!(received, 1);
        let reader = desk.temp.store.read(&desk.cases.tenant).await.expect("a reader");
        let papers = rows::papers(&reader, &subject(&code())).await.expect("read");
        assert_eq!(papers.len(), 1);
        assert_eq!(
            desk.cases
                .store
                .blobs()
                .get(&papers[0].digest)
                .await
                .expect("kept"),
            crate::testing::PDF.as_bytes()
        );
    }

    #[tokio::test]
    async fn an_altered_case_under_the_same_code_is_refused() {
        let desk = Desk::new().await;
        let other_pdf = format!("{}% more\n", crate::testing::PDF);
        let alterations: [(&str, Value); 4] = [
            ("unit", json!("H56.14797")),
            ("filed_at", json!(testkit::START.plus_ms(-1))),
            (
                "applicant",
                json!({"account": "mai", "number": "038192000003", "name": "Mai"}),
            ),
            ("papers", json!([paper("GCS", other_pdf.as_bytes())])),
        ];
        for (field, value) in alterations {
            let mut body = handover();
            body[field] = value;
            let refused = desk.receive(&body).await.expect_err("altered");
            assert_eq!(
                (refused.kind.status(), refused.code),
                (409, "case-altered"),
                "{field}"
            );
        }
        let mut body = handover();
        body["answers"]["child_name"] = json!("Trần Minh Anh");
        assert_eq!(
            desk.receive(&body).await.expect_err("altered").code,
            "case-altered"
        );
    }

    #[tokio::test]
    async fn only_the_portal_that_is_named_hands_a_case_over() {
        let desk = Desk::empty().await;
        for (consumer, portal, wanted) in [
            ("G01/population", "G22/portal", "case-not-your-portal"),
            ("G22/portal", "H34/portal", "case-not-your-portal"),
            ("H34/portal", "H34/portal", "case-portal-not-then"),
        ] {
            let mut body = handover();
            body["portal"] = json!(portal);
            let refused = desk.receive_from(consumer, &body).await.expect_err("refused");
            assert_eq!(
                (refused.kind.status(), refused.code),
                (403, wanted),
                "{consumer} {portal}"
            );
        }
        assert_eq!(desk.facts().await, Vec::<String>::new());
    }

    /// What comes of a hand-over by a portal of a case that was filed then.
    async fn handed_by(desk: &Desk, portal: &str, filed: &str) -> Result<Value, kernel::Problem> {
        let mut body = handover();
        body["portal"] = json!(portal);
        body["filed_at"] = json!(kernel::Time::parse_minute(filed).expect("a time"));
        desk.receive_from(portal, &body).await
    }

    #[tokio::test]
    async fn a_case_comes_from_the_portal_that_filed_for_the_province_on_its_day() {
        let desk = Desk::empty().await;
        for (portal, filed, then) in [
            ("G22/portal", "2025-06-30T16:59", "H56/portal"),
            ("H56/portal", "2025-07-01T07:00", "G22/portal"),
            ("H34/portal", "2025-06-30T16:59", "H56/portal"),
        ] {
            let refused = handed_by(&desk, portal, filed).await.expect_err("refused");
            assert_eq!(
                (refused.kind.status(), refused.code),
                (403, "case-portal-not-then")
            );
            let told: Vec<&str> = refused.args.iter().map(|(_, value)| value.as_str()).collect();
            assert_eq!(told[2], then, "{portal} {filed}");
        }
        let before = handed_by(&desk, "H56/portal", "2018-06-20T09:00").await;
        assert_eq!(before.expect_err("no mode").code, "case-portal-none");
        assert_eq!(desk.facts().await, Vec::<String>::new());

        // It comes late, and its statuses go to where it was filed.
        let late = handed_by(&desk, "H56/portal", "2025-06-30T16:59").await;
        assert_eq!(late.expect("received")["received"], true);
        desk.accept().await;
        assert!(desk.deliver_topic("case-status").await.is_none());
        let asked = desk.nation.asked.lock().expect("whole");
        let services: Vec<&str> = asked.iter().map(|(service, ..)| service.as_str()).collect();
        assert_eq!(services, ["H56/portal/note-status"]);
    }

    #[tokio::test]
    async fn only_the_portal_of_a_case_sends_what_its_applicant_says() {
        let desk = Desk::new().await;
        desk.accept().await;
        let said = json!({"kind": "withdrawal", "reason": ""});
        for (consumer, case, wanted) in [
            ("H56/portal", CASE, (403, "case-portal-not-then")),
            ("G01/population", CASE, (403, "case-portal-not-then")),
            ("G22/portal", "G22-261121-0099", (404, "not-found")),
        ] {
            let body = json!({"case": case, "seq": 1, "at": 0, "said": said, "papers": []});
            let services = desk.cases.services();
            let taking = services.iter().find(|s| s.id().service == "take-submission");
            let service = taking.expect("the desk takes submissions");
            let call = crate::testing::wire::call(consumer, &service.id(), case, &body, testkit::START);
            let refused = service.call(call).await.expect_err("refused");
            assert_eq!((refused.kind.status(), refused.code), wanted, "{consumer}");
        }
        assert_eq!(desk.state().await, "accepted");
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_case_is_told_by_name() {
        let desk = Desk::empty().await;
        let gcs = |key: &str, value: Value| {
            let mut one = paper("GCS", crate::testing::PDF.as_bytes());
            one[key] = value;
            json!([one])
        };
        let pdf = || paper("GCS", crate::testing::PDF.as_bytes());
        let faults: [(&str, Value, &str); 12] = [
            ("unit", json!("H34.15865"), "case-unit-unknown"),
            ("unit", json!("H56.99999"), "case-unit-unknown"),
            ("version", json!("0".repeat(64)), "case-version-unknown"),
            ("answers", json!({"nonsense": "x"}), "case-answer-unknown"),
            (
                "answers",
                json!({"child_name": "x".repeat(201)}),
                "case-answer-unknown",
            ),
            ("papers", json!([]), "case-paper-missing"),
            ("papers", json!([pdf(), pdf()]), "case-paper-twice"),
            (
                "papers",
                json!([pdf(), paper("XYZ", b"%PDF-1.4")]),
                "case-paper-unknown",
            ),
            (
                "papers",
                gcs("digest", json!("0".repeat(64))),
                "case-paper-damaged",
            ),
            ("papers", gcs("size", json!(1)), "case-paper-damaged"),
            ("papers", gcs("bytes_base64", json!("!")), "case-paper-damaged"),
            (
                "papers",
                json!([paper("GCS", b"MZ\x90 a program")]),
                "case-paper-not-pdf",
            ),
        ];
        let mut told = BTreeMap::new();
        for (field, value, code) in faults {
            let mut body = handover();
            body[field] = value;
            let refused = desk.receive(&body).await.expect_err("refused");
            assert_eq!((refused.code, refused.field.as_deref()), (code, Some(field)));
            *told.entry(code).or_insert(0) += 1;
        }
        assert_eq!((told.len(), desk.facts().await.len()), (8, 0));
        let mut body = handover();
        body["procedure"] = json!("1.000656");
        assert_eq!(
            desk.receive(&body).await.expect_err("refused").code,
            "case-version-unknown"
        );
        let mut body = handover();
        body["more"] = json!(1);
        assert_eq!(
            desk.receive(&body).await.expect_err("refused").code,
            "json-unknown-field"
        );
    }
}
