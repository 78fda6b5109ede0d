//! One birth registration, step by step, through the pages and the JSON its people use. The steps
//! can be taken one by one, taken twice, or left: that is what the tests are about.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, ensure};
use directory::people::{self, Person as Parent};
use kernel::World;
use sen::story::http::{self, File, Reply};
use sen::story::tools;
use sen::up::population::SEED;
use serde_json::{Value, json};

use crate::ground::until;
use crate::people::Person;

/// The procedure.
pub const PROCEDURE: &str = "1.001193";
/// Its pages, in order.
pub const PAGES: [&str; 3] = ["child", "parents", "declarant"];

/// What children of tests are called by, each once.
const NAMES: [&str; 16] = [
    "An", "Ba", "Chi", "Dung", "Giang", "Hà", "Khuê", "Lam", "Mai", "Ngân", "Oanh", "Phúc", "Quỳnh", "Sương",
    "Thu", "Vy",
];

/// The most people of a household, count.
const HOUSEHOLD: usize = 8;

/// A name that no other child of the sample couple has: eight bytes of chance as so many syllables.
fn child_name(world: &World) -> String {
    let chance = world.random::<8>();
    let syllables = chance.iter().map(|byte| NAMES[usize::from(byte % 16)]);
    let syllables: Vec<&str> = syllables.collect();
    format!("Lê Nguyễn Sen {}", syllables.join(" "))
}

/// What a form is answered with.
#[derive(Clone, Debug)]
pub struct Answers {
    all: BTreeMap<String, String>,
    /// Typed over what stands there.
    firm: BTreeSet<String>,
}

impl Answers {
    /// A child of the sample couple, born yesterday; the parents as the registers have them, for who
    /// fills the form by hand.
    ///
    /// # Errors
    /// When the pack has no communes.
    pub fn usual(world: &World) -> anyhow::Result<Self> {
        Ok(Self::of(&couple()?, world))
    }

    /// The same for the couple of each household, as many from the first on as are asked for.
    ///
    /// # Errors
    /// When the sample population has not so many.
    pub fn of_households(count: usize, world: &World) -> anyhow::Result<Vec<Self>> {
        let couples = couples(count)?;
        ensure!(couples.len() == count, "there are not {count} households");
        Ok(couples.iter().map(|couple| Self::of(couple, world)).collect())
    }

    fn of((mother, father): &(Parent, Parent), world: &World) -> Self {
        let mut all = BTreeMap::new();
        let mut put = |name: &str, value: &str| all.insert(name.to_owned(), value.to_owned());
        put("child_name", &child_name(world));
        for (name, value) in [
            ("child_sex", "female"),
            ("child_birth_place", "Bệnh viện Phụ sản Thanh Hóa (mẫu)"),
            ("child_birth_commune", "Phường Hạc Thành, Thanh Hóa"),
            ("child_hometown", "Thanh Hóa"),
            ("child_ethnicity", "01"),
            ("child_nationality", "VN"),
            ("declarant_relation", "mother"),
            ("receive_at", people::SAMPLE_COMMUNE),
        ] {
            put(name, value);
        }
        let born = world.now().plus_ms(-86_400_000).date();
        for (name, value) in day("child_born", born) {
            put(&name, &value);
        }
        for (who, parent) in [("mother", mother), ("father", father)] {
            put(&format!("{who}_name"), &parent.full_name);
            put(&format!("{who}_number"), parent.personal_number.as_str());
            put(&format!("{who}_ethnicity"), parent.ethnicity);
            put(&format!("{who}_nationality"), parent.nationality);
            put(&format!("{who}_commune"), parent.residence.commune.as_str());
            put(&format!("{who}_line"), &parent.residence.line);
            for (name, value) in day(&format!("{who}_born"), parent.date_of_birth) {
                put(&name, &value);
            }
        }
        Self {
            all,
            firm: BTreeSet::new(),
        }
    }

    /// The same for another child: one child has one act.
    #[must_use]
    pub fn another(&self, world: &World) -> Self {
        let mut another = self.clone();
        another.all.insert("child_name".to_owned(), child_name(world));
        another
    }

    /// With one answer typed over whatever stands in the form.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.all.insert(name.to_owned(), value.to_owned());
        self.firm.insert(name.to_owned());
        self
    }

    /// One answer.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.all.get(name).map_or("", String::as_str)
    }

    /// A page's form, filled.
    #[must_use]
    pub fn fields(&self, page: &str) -> Vec<(String, String)> {
        let given = self.all.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let mut fields = tools::form(page, &given);
        for (name, value) in fields.iter_mut().filter(|(name, _)| self.firm.contains(name)) {
            value.clear();
            value.push_str(self.get(name));
        }
        fields
    }
}

/// The three boxes of a day.
#[must_use]
pub fn day(name: &str, day: kernel::Date) -> [(String, String); 3] {
    [
        (format!("{name}-day"), day.day().to_string()),
        (format!("{name}-month"), u8::from(day.month()).to_string()),
        (format!("{name}-year"), day.year().to_string()),
    ]
}

/// The sample mother and father as the registers have them.
///
/// # Errors
/// When the pack has no communes.
pub fn couple() -> anyhow::Result<(Parent, Parent)> {
    let first = couples(1)?.pop();
    first.context("the sample population is empty")
}

/// The couples of the first households.
fn couples(count: usize) -> anyhow::Result<Vec<(Parent, Parent)>> {
    let areas = directory::Areas::load(&sen::config::Config::default().pack)?;
    let households = people::people(&areas, SEED, count.saturating_mul(HOUSEHOLD));
    let couples = households.take(count).map(|h| (h.mother, h.father));
    Ok(couples.collect())
}

/// A PDF to attach.
///
/// # Errors
/// When it cannot be drawn.
pub fn paper(world: &World) -> anyhow::Result<Vec<u8>> {
    tools::birth_notice(world.now())
}

/// Begins a form and gives the draft's id.
///
/// # Errors
/// When the portal refuses.
pub async fn start(mother: &mut Person) -> anyhow::Result<String> {
    let begun = mother
        .post(&format!("/procedures/{PROCEDURE}/start"), &[])
        .await?;
    begun.ok()?;
    let id = begun.url.rsplit("/drafts/").next().context("a draft's address")?;
    Ok(id.split(['/', '?']).next().unwrap_or_default().to_owned())
}

/// Lets the registers fill what they know; the page that comes back says what became of it.
///
/// # Errors
/// When the portal refuses.
pub async fn prefill(mother: &mut Person, draft: &str) -> anyhow::Result<Reply> {
    let page = mother.post(&format!("/drafts/{draft}/prefill"), &[]).await?;
    page.ok()?;
    Ok(page)
}

/// Answers one page and gives what the portal says.
///
/// # Errors
/// When the page is not there.
pub async fn answer(
    mother: &mut Person,
    draft: &str,
    page: &str,
    answers: &Answers,
) -> anyhow::Result<Reply> {
    let path = format!("/drafts/{draft}/pages/{page}");
    let form = mother.get(&path).await?;
    let fields = answers.fields(&form.ok()?.text());
    let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    mother.post(&path, &fields).await
}

/// Answers every page and attaches a paper.
///
/// # Errors
/// When the portal refuses: with what the page says.
pub async fn fill(mother: &mut Person, draft: &str, answers: &Answers, paper: &[u8]) -> anyhow::Result<()> {
    for page in PAGES {
        let told = answer(mother, draft, page, answers).await?;
        told.ok().with_context(|| format!("page {page}"))?;
        ensure!(
            !told.url.ends_with(&format!("/pages/{page}")),
            "page {page} is shown again"
        );
    }
    attach(mother, draft, "giay-chung-sinh.pdf", paper).await?.ok()?;
    Ok(())
}

/// Attaches the birth notice.
///
/// # Errors
/// When nothing answers.
pub async fn attach(mother: &mut Person, draft: &str, name: &str, bytes: &[u8]) -> anyhow::Result<Reply> {
    let url = mother
        .site()
        .url(mother.place, &format!("/drafts/{draft}/papers/GCS"));
    let file = File {
        field: "file",
        name,
        media: "application/pdf",
        bytes,
    };
    mother.browser.upload(&url, &[], &file).await
}

/// The revision that the check of a draft is shown with.
///
/// # Errors
/// When the page is not there or has none.
pub async fn check(mother: &mut Person, draft: &str) -> anyhow::Result<String> {
    let page = mother.get(&format!("/drafts/{draft}/check")).await?;
    http::hidden(&page.ok()?.text(), "revision").context("the check has a revision")
}

/// Files a draft that is complete and gives the case's code.
///
/// # Errors
/// When the portal refuses: with what the page says.
pub async fn file(mother: &mut Person, draft: &str) -> anyhow::Result<String> {
    let revision = check(mother, draft).await?;
    let filed = mother
        .post(&format!("/drafts/{draft}/file"), &[("revision", &revision)])
        .await?;
    filed.ok()?;
    code(&filed.url)
}

/// The case's code in an address.
///
/// # Errors
/// When there is none.
pub fn code(url: &str) -> anyhow::Result<String> {
    let code = url
        .rsplit("/cases/")
        .next()
        .and_then(|rest| rest.split(['/', '?']).next())
        .unwrap_or_default();
    let code: kernel::CaseCode = code
        .parse()
        .ok()
        .with_context(|| format!("{url} names no case"))?;
    Ok(code.to_string())
}

/// Begins, fills from the registers, answers and files: everything up to the case's code.
///
/// # Errors
/// When the portal refuses.
pub async fn whole(mother: &mut Person, answers: &Answers, paper: &[u8]) -> anyhow::Result<String> {
    let draft = start(mother).await?;
    prefill(mother, &draft).await?;
    fill(mother, &draft, answers, paper).await?;
    file(mother, &draft).await
}

/// The case at the desk, once it has got there and something holds of it.
///
/// # Errors
/// When that does not come about within patience.
pub async fn at_desk(
    official: &mut Person,
    code: &str,
    is: impl Fn(&Value) -> bool,
) -> anyhow::Result<Value> {
    let path = format!("/api/v1/desk/cases/{code}");
    until(&format!("{code} at the desk"), async || {
        let seen = official.get(&path).await?.json()?;
        Ok(is(&seen).then_some(seen))
    })
    .await
}

/// The case at the portal, once something holds of it.
///
/// # Errors
/// When that does not come about within patience.
pub async fn at_portal(
    mother: &mut Person,
    code: &str,
    is: impl Fn(&Value) -> bool,
) -> anyhow::Result<Value> {
    let path = format!("/api/v1/cases/{code}");
    until(&format!("{code} at the portal"), async || {
        let seen = mother.get(&path).await?.json()?;
        Ok(is(&seen).then_some(seen))
    })
    .await
}

/// Does a verb at the desk, with the revision that was seen.
///
/// # Errors
/// When the desk refuses.
pub async fn act(official: &mut Person, seen: &Value, verb: &str, more: &Value) -> anyhow::Result<Value> {
    let code = seen["code"].as_str().context("a case has a code")?;
    let mut body = json!({"revision": seen["revision"]});
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    official
        .post_json(&format!("/api/v1/desk/cases/{code}/{verb}"), &body)
        .await
}

/// Finds the draft of the result right, once it has got to the portal.
///
/// # Errors
/// When it does not come within patience, or the portal refuses the answer.
pub async fn agree(mother: &mut Person, code: &str) -> anyhow::Result<()> {
    at_portal(mother, code, |c| !c["draft"].is_null()).await?;
    let path = format!("/api/v1/cases/{code}/draft-answer");
    mother.post_json(&path, &json!({"agreed": true})).await.map(drop)
}

/// The desk's officials, and the applicant, who looks at the draft of the result.
pub struct Desk {
    /// Looks at the draft.
    pub applicant: Person,
    /// Accepts.
    pub receptionist: Person,
    /// Proposes.
    pub officer: Person,
    /// Signs.
    pub chairman: Person,
    /// Seals.
    pub clerk: Person,
}

impl Desk {
    /// The sample officials, signed in.
    ///
    /// # Errors
    /// When one cannot sign in.
    pub async fn of(site: &crate::site::Site) -> anyhow::Result<Self> {
        let place = sen::up::nation::Place::Province;
        Ok(Self {
            applicant: Person::mother(site).await?,
            clerk: Person::official(site, "clerk", place).await?,
            receptionist: Person::official(site, "receptionist", place).await?,
            officer: Person::official(site, "officer", place).await?,
            chairman: Person::official(site, "chairman", place).await?,
        })
    }

    /// Takes a filed case to its act in the register: accepted, proposed, looked at, entered.
    ///
    /// # Errors
    /// When a verb is refused, or the act is not entered within patience.
    pub async fn enter(&mut self, code: &str) -> anyhow::Result<Value> {
        let seen = at_desk(&mut self.receptionist, code, |_| true).await?;
        let accepted = act(&mut self.receptionist, &seen, "accept", &json!({})).await?;
        let granted = json!({"outcome": "granted", "note": "Đủ điều kiện"});
        act(&mut self.officer, &accepted, "propose", &granted).await?;
        agree(&mut self.applicant, code).await?;
        at_desk(&mut self.chairman, code, |c| c["state"] == "to-sign").await
    }

    /// Decides a filed case to its end at the desk.
    ///
    /// # Errors
    /// As [`Desk::enter`].
    pub async fn decide(&mut self, code: &str) -> anyhow::Result<Value> {
        let seen = self.enter(code).await?;
        self.sign_and_seal(&seen).await
    }

    /// Signs and seals a case whose act is entered.
    ///
    /// # Errors
    /// When a verb is refused.
    pub async fn sign_and_seal(&mut self, seen: &Value) -> anyhow::Result<Value> {
        let signed = act(&mut self.chairman, seen, "sign", &json!({})).await?;
        act(&mut self.clerk, &signed, "seal", &json!({})).await
    }
}
