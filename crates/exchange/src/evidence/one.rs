//! `GET /exchange/evidence/{request}` and its twin, "prove this exchange": what an auditor can follow, each
//! check in words with its verdict, the times on record, the containers, and the commands that check
//! them without Sen.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use kernel::{Kind, OrgCode, Problem, Time};
use web::{Operator, Page, Refusal};

use super::body::EvidenceBody;
use super::checks::{EvidenceCheck, EvidenceDetail};
use super::list::{class, precise, words};
use super::over_there::OtherSide;
use super::proof::{self, EvidenceMoment, EvidenceProof, EvidenceSide};
use crate::export::Which;
use crate::gateway::Exchange;
use crate::left::EvidenceArchive;
use crate::operator::refusals;

/// The steps with tools of others, as docs/x-road.md has them.
const COMMANDS: &str = r#"xmlsec1 --verify --trusted-pem ca.pem --verification-gmt-time "$AT" \
  --id-attr:Id 'http://uri.etsi.org/01903/v1.3.2#:SignedProperties' \
  --url-map:/sig-hashchainresult.xml sig-hashchainresult.xml META-INF/signatures.xml
grep -qF "$(openssl dgst -sha256 -binary message.xml | base64 -w0)" sig-hashchain.xml
grep -qF "$(openssl dgst -sha256 -binary META-INF/signatures.xml | base64 -w0)" ts-hashchain.xml
openssl ts -verify -token_in -in META-INF/timestamp.tst -data ts-hashchainresult.xml -CAfile ca.pem -attime "$EPOCH"
grep -qF "$(openssl dgst -sha256 -binary ts-hashchainresult.xml | base64 -w0)" META-INF/ASiCManifest.xml
test "$(cat mimetype)" = application/vnd.etsi.asic-e+zip
"#;

/// Proves one exchange, as far as this node can.
#[utoipa::path(get, path = "/api/v1/exchange/evidence/{request}", tag = "exchange",
    operation_id = "prove_evidence",
    params(("request" = String, Path, description = "the exchange's id")),
    security(("session" = ["operator", "observer"])), responses((status = 200, body = EvidenceProof), (status = 404)))]
pub(crate) async fn json(
    State(x): State<Exchange>,
    Operator(who): Operator,
    Path(request): Path<String>,
) -> Result<axum::Json<EvidenceProof>, Refusal> {
    Ok(axum::Json(x.proof(&who, &request).await?))
}

#[derive(Template)]
#[template(path = "evidence_one.html")]
struct View<'a> {
    page: &'a Page,
    request: String,
    /// The exchange's own path.
    link: String,
    /// The checks as one word, with the notice's class.
    sum: (String, &'static str),
    sides: Vec<Side>,
    other: Option<Other>,
    commands: &'static str,
}

struct Side {
    id: &'static str,
    title: String,
    facts: Vec<(String, String)>,
    agreement: Option<(String, String)>,
    result: (String, &'static str),
    why: String,
    /// Where the record lives since it left the live log, in words, and the command that brings it.
    archive: Option<(String, String)>,
    files: Vec<(String, String)>,
    /// Records under the signed checkpoint that holds the record.
    checkpoint: Option<u64>,
    bodies: Vec<BodyShown>,
    checks: Vec<Checked>,
    moments: Vec<Moment>,
}

struct BodyShown {
    of: &'static str,
    name: String,
    /// Until when it is kept, or since when it is gone.
    words: String,
    is_kept: bool,
}

struct Checked {
    name: String,
    of: String,
    verdict: String,
    class: &'static str,
    words: String,
    details: Vec<(String, String)>,
}

struct Moment {
    iso: String,
    at: String,
    what: String,
}

struct Other {
    words: String,
    class: &'static str,
    facts: Vec<(String, String)>,
    /// The times of both nodes in one order.
    moments: Vec<Moment>,
}

/// One exchange as a page.
#[utoipa::path(get, path = "/exchange/evidence/{request}", tag = "exchange",
    operation_id = "evidence_one_page",
    params(("request" = String, Path, description = "the exchange's id")),
    security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "the proof", content_type = "text/html"),
              (status = 303, description = "to the refusal under this id: the call never left"), (status = 404)))]
pub(crate) async fn page(
    State(x): State<Exchange>,
    Operator(who): Operator,
    page: Page,
    Path(request): Path<String>,
) -> Result<Response, Refusal> {
    let proof = match x.proof(&who, &request).await {
        Ok(proof) => proof,
        Err(problem) => {
            // The id of a call that never left, as its caller was told it: there is no evidence of it.
            let never_left = problem.kind == Kind::NotFound && x.refused_under(&who, &request).await?;
            return if never_left {
                Ok(Redirect::to(&refusals::link(&request)).into_response())
            } else {
                Err(problem.into())
            };
        }
    };
    let view = View {
        sum: sum(&page, &proof),
        sides: proof.sides.iter().map(|side| x.shown(&page, side)).collect(),
        other: proof
            .other
            .as_ref()
            .map(|other| x.other(&page, other, &proof.sides)),
        link: super::link(&proof.request),
        request: proof.request,
        commands: COMMANDS,
        page: &page,
    };
    let body = view.render().map_err(Problem::internal)?;
    Ok(page.html(&page.t("exchange-prove"), body).into_response())
}

/// All checks in one word: one that failed decides, then one that is open.
fn sum(page: &Page, proof: &EvidenceProof) -> (String, &'static str) {
    let has = |verdict: &str| {
        let mut checks = proof.sides.iter().flat_map(|side| &side.checks);
        checks.any(|check| check.verdict == verdict)
    };
    let apart = proof
        .other
        .as_ref()
        .is_some_and(|other| other.agrees == Some(false));
    if has("failed") || apart {
        (page.t("exchange-prove-failed"), "notice notice-warning")
    } else if proof.sides.iter().any(|side| side.archive.is_some()) {
        (page.t("exchange-prove-archived"), "notice")
    } else if has("open") {
        (page.t("exchange-prove-open"), "notice")
    } else {
        (page.t("exchange-prove-passed"), "notice notice-good")
    }
}

impl Exchange {
    fn named(&self, code: &str) -> String {
        let org: Result<OrgCode, _> = code.parse();
        org.map_or_else(|_| code.to_owned(), |org| self.organisation(&org))
    }

    fn shown(&self, page: &Page, side: &EvidenceSide) -> Side {
        let e = &side.exchange;
        let mut facts = vec![
            (page.t("exchange-item-consumer"), e.consumer.clone()),
            (page.t("exchange-item-service"), e.service.clone()),
        ];
        if side.archive.is_none() {
            facts.push((page.t("exchange-call"), side.endpoint.clone()));
        }
        if let Some(case) = &e.issue {
            facts.push((page.t("exchange-find-case"), case.clone()));
        }
        let held = kernel::Digest::parse(&e.agreement).and_then(|hash| self.agreements().name_of(&hash));
        let file = |which: &Which| {
            let part = which.as_str();
            let request = super::segment(&e.request);
            let href = format!("/api/v1/exchange/exchanges/{request}/asice?part={part}");
            (href, page.t(&format!("exchange-part-{part}")))
        };
        let files = Which::BOTH.iter();
        let files = files.filter(|which| side.answered || **which == Which::Request);
        let files = files.filter(|_| side.archive.is_none());
        let status = if e.status == 0 {
            String::new()
        } else {
            format!(" ({})", e.status)
        };
        Side {
            id: if e.side == "consumer" {
                "consumer"
            } else {
                "provider"
            },
            title: page.tw(
                &format!("exchange-side-of-{}", e.side),
                &[("party", self.named(&e.own))],
            ),
            facts,
            agreement: held.map(|number| (e.agreement.clone(), number)),
            result: (
                page.t(&format!("exchange-result-{}", e.result)) + &status,
                class(e.result),
            ),
            why: words(page, &e.fault),
            archive: side
                .archive
                .as_ref()
                .map(|archive| in_archive(page, archive, &e.request)),
            files: files.map(file).collect(),
            checkpoint: side.checkpoint,
            bodies: side.bodies.iter().map(|body| body_shown(page, body)).collect(),
            checks: side.checks.iter().map(|check| checked(page, check)).collect(),
            moments: side.timeline.iter().map(|m| self.moment(page, m)).collect(),
        }
    }

    fn moment(&self, page: &Page, moment: &EvidenceMoment) -> Moment {
        self.told(page, (moment.what, &moment.clock, moment.at))
    }

    fn told(&self, page: &Page, (what, clock, at): (&str, &str, i64)) -> Moment {
        Moment {
            iso: Time(at).rfc3339(),
            at: precise(page, Time(at)),
            what: page.tw(
                &format!("exchange-moment-{what}"),
                &[("clock", self.named(clock))],
            ),
        }
    }

    /// The times of both nodes in one order; what both have on record stands once.
    fn over_both(&self, page: &Page, own: &[EvidenceSide], other: &OtherSide) -> Vec<Moment> {
        let theirs = other.record.iter().flat_map(|record| &record.timeline);
        let theirs = theirs.map(|m| (m.what.as_str(), m.clock.as_str(), m.at));
        // A word that this release does not know would have no text.
        let theirs: Vec<_> = theirs
            .filter(|(what, ..)| page.shared.texts.has(&format!("exchange-moment-{what}")))
            .collect();
        if theirs.is_empty() {
            return Vec::new();
        }
        let ours = own.iter().flat_map(|side| &side.timeline);
        let ours: Vec<_> = ours.map(|m| (m.what, m.clock.as_str(), m.at)).collect();
        let all = if other
            .record
            .as_ref()
            .is_some_and(|record| record.side == "consumer")
        {
            in_order(&theirs, ours)
        } else {
            in_order(&ours, theirs)
        };
        all.into_iter().map(|moment| self.told(page, moment)).collect()
    }

    fn other(&self, page: &Page, other: &OtherSide, own: &[EvidenceSide]) -> Other {
        let args = [
            ("party", self.named(&other.organisation)),
            ("node", other.node.clone()),
        ];
        let (key, class) = match (other.heard, other.agrees) {
            ("told", Some(true)) => ("told", "notice notice-good"),
            ("told", _) => ("apart", "notice notice-warning"),
            (heard, _) => (heard, "notice"),
        };
        let mut facts = Vec::new();
        if let Some(record) = &other.record {
            let time = |at: i64| precise(page, Time(at));
            let stamped = if record.stamped { "yes" } else { "no" };
            facts = vec![
                (page.t("exchange-began"), time(record.began)),
                (page.t("exchange-ended"), time(record.ended)),
                (page.t("exchange-detail-position"), record.position.to_string()),
                (
                    page.t("exchange-check-timestamp"),
                    page.t(&format!("exchange-stamped-{stamped}")),
                ),
            ];
            if !record.fault.is_empty() {
                facts.push((page.t("exchange-find-result"), words(page, &record.fault)));
            }
        }
        Other {
            words: page.tw(&format!("exchange-other-{key}"), &args),
            class,
            facts,
            moments: self.over_both(page, own, other),
        }
    }
}

/// Where a record lives since it left the live log, and how its containers are had.
fn in_archive(page: &Page, archive: &EvidenceArchive, request: &str) -> (String, String) {
    let args = [
        ("file", archive.file.clone()),
        ("since", page.time(Time(archive.since))),
    ];
    let command = format!(
        "sen evidence export --archive {} --request {}",
        archive.file,
        super::segment(request)
    );
    (page.tw("exchange-archived", &args), command)
}

/// What happened, whose clock says so, and when.
type Told<'a> = (&'a str, &'a str, i64);

/// The times of both sides, each once, the earliest first; of equal ones the request's before the
/// answer's, and the consumer's before the provider's.
fn in_order<'a>(consumer: &[Told<'a>], provider: Vec<Told<'a>>) -> Vec<Told<'a>> {
    let mut all = consumer.to_vec();
    all.extend(provider.into_iter().filter(|moment| !consumer.contains(moment)));
    all.sort_by_key(|(what, _, at)| (*what == "stamped", *at, proof::step(what)));
    all
}

fn body_shown(page: &Page, body: &EvidenceBody) -> BodyShown {
    let until = body.until.map(|until| page.date(Time(until).plus_ms(-1).date()));
    BodyShown {
        of: body.of,
        name: page.t(&format!("exchange-part-{}", body.of)),
        words: page.tw(
            &format!("exchange-body-{}", body.state),
            &[("until", until.unwrap_or_default())],
        ),
        is_kept: body.state == "kept",
    }
}

fn checked(page: &Page, one: &EvidenceCheck) -> Checked {
    let detail = |name: &str| page.t(&format!("exchange-detail-{name}"));
    let details = one.details.iter();
    Checked {
        name: page.t(&format!("exchange-check-{}", one.check)),
        of: page.t(&format!("exchange-part-{}", one.of)),
        verdict: page.t(&format!("exchange-verdict-{}", one.verdict)),
        class: match one.verdict {
            "passed" => "tag tag-good",
            "failed" => "tag tag-bad",
            _ => "tag tag-wait",
        },
        words: page.t(&format!("exchange-check-{}-{}", one.check, one.verdict)),
        details: details.map(|d| (detail(d.name), value(page, d))).collect(),
    }
}

/// A detail's value as a person reads it: instants in their zone, a reason in words where it has some.
fn value(page: &Page, detail: &EvidenceDetail) -> String {
    if let Some(at) = Time::parse_rfc3339(&detail.value) {
        return precise(page, at);
    }
    let key = format!("exchange-why-{}", detail.value);
    if detail.name == "reason" && page.shared.texts.has(&key) {
        page.t(&key)
    } else {
        detail.value.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_equal_times_the_request_comes_before_the_answer_and_the_consumer_before_the_provider() {
        let consumer = [
            ("sent", "G22", 5),
            ("request-sealed", "G22", 5),
            ("came-back", "G22", 5),
            ("left", "G22", 5),
            ("answer-sealed", "G01", 5),
            ("ended", "G22", 5),
            ("checkpoint", "national", 5),
            ("stamped", "tsa", 4),
        ];
        let provider = vec![
            ("sent", "G22", 5),
            ("request-sealed", "G22", 5),
            ("began", "G01", 5),
            ("answered", "G01", 5),
            ("asked", "G01", 5),
            ("served", "G01", 5),
            ("answer-sealed", "G01", 5),
            ("checkpoint", "ministry", 5),
        ];
        let order: Vec<_> = in_order(&consumer, provider)
            .into_iter()
            .map(|(what, clock, _)| format!("{what} {clock}"))
            .collect();
        assert_eq!(
            order,
            [
                "sent G22",
                "request-sealed G22",
                "left G22",
                "began G01",
                "asked G01",
                "answered G01",
                "served G01",
                "answer-sealed G01",
                "came-back G22",
                "ended G22",
                "checkpoint national",
                "checkpoint ministry",
                "stamped tsa"
            ]
        );
    }

    #[test]
    fn the_page_has_the_commands_of_the_documentation() {
        let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/x-road.md");
        let page = std::fs::read_to_string(page).expect("the page");
        assert!(page.contains(&format!("```sh\n{COMMANDS}```")));
    }
}
