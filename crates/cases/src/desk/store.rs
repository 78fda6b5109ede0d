//! SQL of the desk's list. Never changes a row.

pub(crate) mod appointments;
pub(crate) mod assigned;
pub(crate) mod filters;
pub(crate) mod near;
pub(crate) mod register;
pub(crate) mod tickets;
mod unit;

use ::store::params;
use kernel::{CaseCode, OrgCode, Problem, Time};

use crate::store::{Held, Rows, held};

/// Which cases a list shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// Those that still wait for somebody.
    Open,
    /// Those in a state.
    In(String),
    /// Running and past their due instant: not those that wait for the applicant.
    Overdue,
    /// Running and due before an instant.
    Soon(Time),
    /// Waiting for the applicant: the clock stands still.
    Paused,
    /// Rated 1 or 2 by their applicants.
    RatedLow,
    /// All.
    All,
}

impl Which {
    /// From an address: empty for the open ones, `all`, or a state's code.
    pub(crate) fn of(text: &str, soon: Time) -> Self {
        match text {
            "" => Self::Open,
            "all" => Self::All,
            "overdue" => Self::Overdue,
            "soon" => Self::Soon(soon),
            "paused" => Self::Paused,
            "rated-low" => Self::RatedLow,
            state => Self::In(state.to_owned()),
        }
    }

    /// The last due instant of a list that has one.
    fn until(&self, now: Time) -> Time {
        match self {
            Self::Soon(until) => *until,
            _ => now,
        }
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Open => "",
            Self::All => "all",
            Self::Overdue => "overdue",
            Self::Soon(_) => "soon",
            Self::Paused => "paused",
            Self::RatedLow => "rated-low",
            Self::In(state) => state,
        }
    }
}

/// The place of a case in the list: by when it is owed, or when it was filed while nothing is owed.
pub(crate) type Place = (Time, CaseCode);

/// The place of a case.
pub(crate) fn place(held: &Held) -> Place {
    (held.due_at.unwrap_or(held.case.filed_at), held.case.code.clone())
}

/// A page of the cases of a unit and those below it, the most urgent first, after a place. Open cases
/// are few whatever the history; ended ones are read in the order of an index, so a page costs a page.
pub(crate) async fn list(
    rows: &impl Rows,
    unit: &OrgCode,
    which: &Which,
    (after, now): (Option<&Place>, Time),
    limit: usize,
) -> Result<Vec<Held>, Problem> {
    let (at, code) = after.map_or((i64::MIN, String::new()), |(at, code)| {
        (at.ms(), code.to_string())
    });
    let tenant = rows.tenant();
    let whole = unit == tenant;
    let rows = match which {
        Which::In(state) if whole => {
            rows.all(IN_STATE, params![tenant, state.as_str(), at, code, limit])
                .await?
        }
        Which::In(state) => {
            rows.all(
                IN_STATE_OF_UNIT,
                params![tenant, state.as_str(), at, code, limit, unit],
            )
            .await?
        }
        Which::All if whole => rows.all(ALL, params![tenant, at, code, limit]).await?,
        Which::All => {
            rows.all(ALL_OF_UNIT, params![tenant, at, code, limit, unit])
                .await?
        }
        Which::RatedLow if whole => rows.all(RATED_LOW, params![tenant, at, code, limit]).await?,
        Which::RatedLow => {
            rows.all(RATED_LOW_OF_UNIT, params![tenant, at, code, limit, unit])
                .await?
        }
        Which::Open | Which::Overdue | Which::Soon(_) | Which::Paused => {
            let below = format!("{unit}.%");
            rows.all(
                OPEN,
                params![
                    tenant,
                    unit,
                    below,
                    which.as_str(),
                    at,
                    code,
                    limit,
                    now,
                    which.until(now)
                ],
            )
            .await?
        }
    };
    rows.iter().map(held).collect()
}

/// A page of what waits in some units, the most urgent first, after a place: each unit is read by its own
/// index, and what comes first of all of them is the page.
pub(crate) async fn of_units(
    rows: &impl Rows,
    units: &[OrgCode],
    which: &Which,
    (after, now): (Option<&Place>, Time),
    limit: usize,
) -> Result<Vec<Held>, Problem> {
    let mut all = Vec::new();
    for unit in units {
        all.extend(unit::list(rows, unit, which, (after, now), limit).await?);
    }
    if units.len() > 1 {
        all.sort_by_key(place);
        all.truncate(limit);
    }
    Ok(all)
}

/// How many cases of some units a part has, up to a limit: no more is looked at than that.
pub(crate) async fn count(
    rows: &impl Rows,
    units: &[OrgCode],
    which: &Which,
    (now, limit): (Time, usize),
) -> Result<u64, Problem> {
    let most = u64::try_from(limit).unwrap_or(u64::MAX);
    let mut all = 0;
    for unit in units {
        all += unit::count(rows, unit, which, (now, limit)).await?;
        if all >= most {
            return Ok(most);
        }
    }
    Ok(all)
}

const OPEN: &str =
    "select code, procedure, version, unit, channel, applicant, answers, state, status, revision, filed_at,
         due_at, ended_at, details from cases_cases
     where tenant = $1 and (case when status in (3, 7, 8, 10) then 1 else 0 end) = 0
         and coalesce(due_at, filed_at) >= $5
         and (unit = $2 or unit like $3)
         and ($4 = '' or ($4 = 'overdue' and status in (2, 4) and due_at < $8)
             or ($4 = 'soon' and status in (2, 4) and due_at >= $8 and due_at <= $9)
             or ($4 = 'paused' and status in (5, 6)))
         and (coalesce(due_at, filed_at) > $5 or code > $6)
     order by coalesce(due_at, filed_at), code limit $7";

const IN_STATE: &str =
    "select code, procedure, version, unit, channel, applicant, answers, state, status, revision,
         filed_at, due_at, ended_at, details from cases_cases
     where tenant = $1 and state = $2 and coalesce(due_at, filed_at) >= $3
         and (coalesce(due_at, filed_at) > $3 or code > $4)
     order by coalesce(due_at, filed_at), code limit $5";

const IN_STATE_OF_UNIT: &str =
    "select code, procedure, version, unit, channel, applicant, answers, state, status,
         revision, filed_at, due_at, ended_at, details from cases_cases
     where tenant = $1 and unit = $6 and state = $2 and coalesce(due_at, filed_at) >= $3
         and (coalesce(due_at, filed_at) > $3 or code > $4)
     order by coalesce(due_at, filed_at), code limit $5";

const ALL: &str =
    "select code, procedure, version, unit, channel, applicant, answers, state, status, revision, filed_at,
         due_at, ended_at, details from cases_cases
     where tenant = $1 and coalesce(due_at, filed_at) >= $2 and (coalesce(due_at, filed_at) > $2 or code > $3)
     order by coalesce(due_at, filed_at), code limit $4";

const ALL_OF_UNIT: &str =
    "select code, procedure, version, unit, channel, applicant, answers, state, status, revision,
         filed_at, due_at, ended_at, details from cases_cases
     where tenant = $1 and unit = $5 and coalesce(due_at, filed_at) >= $2
         and (coalesce(due_at, filed_at) > $2 or code > $3)
     order by coalesce(due_at, filed_at), code limit $4";

const RATED_LOW: &str =
    "select code, procedure, version, unit, channel, applicant, answers, state, status, revision,
         filed_at, due_at, ended_at, details from cases_cases
     where tenant = $1 and rating <= 2 and coalesce(due_at, filed_at) >= $2
         and (coalesce(due_at, filed_at) > $2 or code > $3)
     order by coalesce(due_at, filed_at), code limit $4";

const RATED_LOW_OF_UNIT: &str =
    "select code, procedure, version, unit, channel, applicant, answers, state, status, revision,
         filed_at, due_at, ended_at, details from cases_cases
     where tenant = $1 and unit = $5 and rating <= 2 and coalesce(due_at, filed_at) >= $2
         and (coalesce(due_at, filed_at) > $2 or code > $3)
     order by coalesce(due_at, filed_at), code limit $4";

/// The newest cases whose applicant has this name, without marks; by the given name, the last word, when
/// only one word is known. Of a unit, or of the whole tenant.
pub(crate) async fn by_name(
    rows: &impl Rows,
    unit: &OrgCode,
    folded: &str,
    limit: usize,
) -> Result<Vec<Held>, Problem> {
    let (tenant, whole) = (rows.tenant(), folded.contains(' '));
    let looked = if whole {
        folded
    } else {
        crate::store::given(folded)
    };
    let rows = match (whole, unit == tenant) {
        (true, true) => rows.all(NAMED, params![tenant, looked, limit]).await?,
        (true, false) => {
            rows.all(NAMED_OF_UNIT, params![tenant, looked, limit, unit])
                .await?
        }
        (false, true) => rows.all(GIVEN, params![tenant, looked, limit]).await?,
        (false, false) => {
            rows.all(GIVEN_OF_UNIT, params![tenant, looked, limit, unit])
                .await?
        }
    };
    rows.iter().map(held).collect()
}

const NAMED: &str =
    "select c.code, c.procedure, c.version, c.unit, c.channel, c.applicant, c.answers, c.state, c.status, c.revision,
         c.filed_at, c.due_at, c.ended_at, c.details
     from cases_names n join cases_cases c on c.tenant = n.tenant and c.code = n.code
     where n.tenant = $1 and n.name = $2
     order by n.filed_at desc limit $3";

const NAMED_OF_UNIT: &str =
    "select c.code, c.procedure, c.version, c.unit, c.channel, c.applicant, c.answers, c.state, c.status, c.revision,
         c.filed_at, c.due_at, c.ended_at, c.details
     from cases_names n join cases_cases c on c.tenant = n.tenant and c.code = n.code
     where n.tenant = $1 and n.unit = $4 and n.name = $2
     order by n.filed_at desc limit $3";

const GIVEN: &str =
    "select c.code, c.procedure, c.version, c.unit, c.channel, c.applicant, c.answers, c.state, c.status, c.revision,
         c.filed_at, c.due_at, c.ended_at, c.details
     from cases_names n join cases_cases c on c.tenant = n.tenant and c.code = n.code
     where n.tenant = $1 and n.given = $2
     order by n.filed_at desc limit $3";

const GIVEN_OF_UNIT: &str =
    "select c.code, c.procedure, c.version, c.unit, c.channel, c.applicant, c.answers, c.state, c.status, c.revision,
         c.filed_at, c.due_at, c.ended_at, c.details
     from cases_names n join cases_cases c on c.tenant = n.tenant and c.code = n.code
     where n.tenant = $1 and n.unit = $4 and n.given = $2
     order by n.filed_at desc limit $3";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::desk::testing::{API, CASE, Desk};

    #[tokio::test]
    async fn a_supervisor_sees_the_whole_province_and_does_nothing() {
        let desk = Desk::new().await;
        let listed = async |part: &str| {
            let path = format!("/api/v1/desk/cases?state={part}");
            let list = desk.get("giam", &path).await.json();
            list["items"].as_array().map_or(0, Vec::len)
        };
        assert_eq!((listed("").await, listed("overdue").await), (1, 0));
        desk.accept().await;
        desk.temp.clock.advance_ms(5 * 3_600_000);
        assert_eq!((listed("soon").await, listed("overdue").await), (1, 0));
        let case = desk.get("giam", API).await.json();
        assert_eq!(case["verbs"], json!([]));
        for (verb, more) in [
            ("propose", json!({"outcome": "granted"})),
            ("ask-supplement", json!({"items": ["x"], "reason": "x"})),
        ] {
            assert_eq!(desk.verb("giam", verb, more).await.status, 403, "{verb}");
        }
        let slip = json!({"items": ["Ảnh mờ"], "reason": "Không đọc được"});
        assert_eq!(desk.verb("tich", "ask-supplement", slip).await.status, 200);
        desk.temp.clock.advance_ms(3 * 86_400_000);
        assert_eq!(
            (
                listed("paused").await,
                listed("overdue").await,
                listed("soon").await
            ),
            (1, 0, 0),
            "what waits for the applicant is not late"
        );
        let page = desk.get("giam", "/desk?state=paused").await.body;
        assert!(
            page.contains(CASE) && page.contains("người nộp hồ sơ"),
            "whom it waits for"
        );
        assert_eq!(desk.supply(1, &json!([])).await["taken"], true);
        desk.temp.clock.advance_ms(3 * 86_400_000);
        assert_eq!((listed("paused").await, listed("overdue").await), (0, 1));
        let withdrawal = json!({"kind": "withdrawal", "reason": ""});
        assert_eq!(desk.submit(2, withdrawal, &json!([])).await["taken"], true);
        let rating = |score: u8| json!({"kind": "rating", "score": score, "note": "Chậm"});
        assert_eq!(listed("rated-low").await, 0);
        assert_eq!(desk.submit(3, rating(2), &json!([])).await["taken"], true);
        assert_eq!(
            desk.submit(4, rating(5), &json!([])).await["taken"],
            false,
            "once"
        );
        assert_eq!((listed("rated-low").await, listed("overdue").await), (1, 0));
        assert!(
            desk.get("giam", &format!("/desk/cases/{CASE}"))
                .await
                .body
                .contains("2/5")
        );
    }
}
