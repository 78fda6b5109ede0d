//! Two births from sign-in to result, one through the pages and one through JSON, and what operators
//! do: every changing operation is called once with success, and the facts it leaves are looked for.
//! The other ways a case can go are in `courses`.

mod agreements;
mod assign;
mod batch;
mod charges;
mod checks;
mod consult;
mod contact;
mod cosign;
mod courses;
mod daybook;
mod delegations;
mod designs;
mod directory;
mod follow_ups;
mod groups;
mod intake;
mod keys;
mod maintenance;
mod mandates;
mod migrations;
mod outbox;
mod petition;
mod post;
mod reconcile;
mod services;
mod wallet;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use sen::story::http::{Reply, hidden};
use sen::up::nation::Place;
use serde_json::{Value, json};
use testbed::api::Operation;
use testbed::birth::{self, Answers, at_desk, at_portal};
use testbed::nation::Nation;
use testbed::people::Person;
use testbed::raw::Asked;

use crate::example::Ids;
use crate::stage::Cast;

/// How long a fact may take to be in the log.
const SEALED: Duration = Duration::from_secs(30);

/// Who calls what, and what came of it.
struct Script<'n> {
    nation: &'n Nation,
    operations: &'n BTreeMap<Place, Vec<Operation>>,
    played: BTreeMap<String, Option<String>>,
}

/// Plays the script and gives what it made and what it found.
pub(crate) async fn play(
    nation: &Nation,
    operations: &BTreeMap<Place, Vec<Operation>>,
    mut cast: Cast,
) -> anyhow::Result<(Ids, BTreeMap<String, Option<String>>)> {
    let mut script = Script {
        nation,
        operations,
        played: BTreeMap::new(),
    };
    let mut ids = Ids::default();
    script.sign_in_and_out().await.context("signing in and out")?;
    script.by_pages(&mut cast, &mut ids).await.context("by pages")?;
    let decided = script.by_json(&mut cast).await.context("by JSON")?;
    script.courses(&mut cast, &mut ids, &decided).await?;
    script.assign(&mut cast).await.context("assigning")?;
    script.batch(&mut cast).await.context("several at once")?;
    script.reconcile(&mut cast).await.context("comparing")?;
    script.intake(&mut cast).await.context("taking in at the desk")?;
    script
        .checks(&mut cast)
        .await
        .context("comparing with registers")?;
    script.contact(&mut cast).await.context("telling the applicant")?;
    script
        .wallet(&mut cast, &mut ids)
        .await
        .context("own documents")?;
    script.cosign(&mut cast).await.context("signing too")?;
    script.mandates(&mut cast).await.context("acting for another")?;
    script.consult(&mut cast).await.context("asking for opinions")?;
    script.daybook(&mut cast, &ids).await.context("the daybook")?;
    script.charges(&mut cast).await.context("what is to be paid")?;
    script.follow_ups(&mut cast).await.context("linked procedures")?;
    script.petition(&mut cast).await.context("petitions")?;
    script
        .post(&mut cast, &mut ids)
        .await
        .context("results by post")?;
    script.designs().await.context("versions of procedures")?;
    script.migrations().await.context("migrations")?;
    script.operate(&mut cast, &mut ids).await.context("operating")?;
    script.agreements(&mut cast).await.context("agreements")?;
    script.services(&mut cast).await.context("services")?;
    script.keys(&mut cast).await.context("API keys")?;
    script.directory(&mut cast).await.context("the directory")?;
    script.delegations(&mut cast).await.context("delegations")?;
    script.groups(&mut cast).await.context("groups")?;
    script.outbox(&mut cast).await.context("the outbox")?;
    script.maintenance(&mut cast).await.context("maintenance")?;
    Ok((ids, script.played))
}

impl Script<'_> {
    /// Calls an operation and looks for one of the facts it names in the node's log.
    async fn leaves<T>(
        &mut self,
        place: Place,
        name: &str,
        call: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        let operation = self.operations[&place].iter().find(|o| o.name() == name);
        let operation = operation.with_context(|| format!("{} does not offer {name}", place.id()))?;
        let from = self
            .nation
            .facts(place, 0)
            .await?
            .last()
            .map_or(0, |(position, _)| position + 1);
        let done = call.await.with_context(|| name.to_owned())?;
        let looked = tokio::time::timeout(SEALED, async {
            loop {
                let new = self.nation.facts(place, from).await?;
                let names = new.iter().map(|(_, record)| fact_name(&record.fact));
                if names
                    .collect::<Vec<_>>()
                    .iter()
                    .any(|n| operation.facts.contains(n))
                {
                    return anyhow::Ok(());
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
        let fault = match looked {
            Ok(found) => found.map(|()| None)?,
            Err(_) => Some(format!("leaves none of {:?}", operation.facts)),
        };
        self.played.insert(name.to_owned(), fault);
        Ok(done)
    }

    async fn sign_in_and_out(&mut self) -> anyhow::Result<()> {
        let site = self.nation.site.clone();
        let mother = self
            .leaves(Place::National, "GET /sign-in/callback", Person::mother(&site))
            .await?;
        self.reuse_code(&mother).await?;
        let operator = Person::official(&site, "operator", Place::Ministry);
        let mut operator = self.leaves(Place::Ministry, "POST /sign-in", operator).await?;
        self.leaves(Place::Ministry, "POST /sign-out", async {
            ok(operator.post("/sign-out", &[]).await?)
        })
        .await?;
        let sample = site.sample("operator", Place::Province)?.clone();
        let mut official = Person::stranger(&site, Place::Province);
        let words = json!({"user": sample.user, "password": sample.password});
        self.leaves(
            Place::Province,
            "POST /api/v1/sign-in",
            official.post_json("/api/v1/sign-in", &words),
        )
        .await?;
        self.leaves(
            Place::Province,
            "POST /api/v1/sign-out",
            official.post_json("/api/v1/sign-out", &json!({})),
        )
        .await?;
        Ok(())
    }

    /// A code of the identity provider that is sent a second time is refused, and that is a fact.
    async fn reuse_code(&mut self, mother: &Person) -> anyhow::Result<()> {
        let site = &self.nation.site;
        let back = mother
            .browser
            .trail
            .iter()
            .find(|u| u.contains("/sign-in/callback?"))
            .context("the way back")?;
        let code = back
            .split(['?', '&'])
            .find_map(|p| p.strip_prefix("code="))
            .context("a code")?;
        let callback = site
            .url(Place::National, "/sign-in/callback")
            .replace(':', "%3A")
            .replace('/', "%2F");
        let form = format!(
            "grant_type=authorization_code&code={code}&client_id=national-portal&redirect_uri={callback}&code_verifier={}",
            "x".repeat(43)
        );
        let url = site.url(Place::Ministry, "/oidc/token");
        let asked = Asked::default().form(form);
        let told = self
            .leaves(Place::Ministry, "POST /oidc/token", asked.send("POST", &url))
            .await?;
        ensure!(told.status == 400, "a used code answered {}", told.status);
        Ok(())
    }

    async fn by_pages(&mut self, cast: &mut Cast, ids: &mut Ids) -> anyhow::Result<()> {
        let world = self.nation.world.clone();
        let (mother, answers, paper) = (&mut cast.mother, Answers::usual(&world)?, birth::paper(&world)?);
        let draft = self
            .leaves(
                Place::National,
                "POST /procedures/{code}/start",
                birth::start(mother),
            )
            .await?;
        self.leaves(
            Place::National,
            "POST /drafts/{id}/prefill",
            birth::prefill(mother, &draft),
        )
        .await?;
        let page = async { ok(birth::answer(mother, &draft, "child", &answers).await?) };
        self.leaves(Place::National, "POST /drafts/{id}/pages/{page}", page)
            .await?;
        let attach = async { ok(birth::attach(mother, &draft, "a.pdf", &paper).await?) };
        self.leaves(Place::National, "POST /drafts/{id}/papers/{paper}", attach)
            .await?;
        birth::fill(mother, &draft, &answers, &paper).await?;
        let case = self
            .leaves(
                Place::National,
                "POST /drafts/{id}/file",
                birth::file(mother, &draft),
            )
            .await?;
        self.desk_by_pages(cast, &case).await?;
        let done = at_portal(&mut cast.mother, &case, |c| c["status"] == 10).await?;
        ids.result = done["results"][0]["document"]
            .as_str()
            .context("a result")?
            .to_owned();
        let path = format!("/cases/{case}/results/{}", ids.result);
        let result = async { ok(cast.mother.get(&path).await?) };
        self.leaves(Place::National, "GET /cases/{code}/results/{document}", result)
            .await?;
        ids.receipt.clone_from(&ids.result);
        for path in ["/desk?q=Sen", "/api/v1/desk/cases?q=Sen"] {
            let look = async { ok(cast.desk.officer.get(path).await?) };
            let name = format!("GET {}", path.trim_end_matches("?q=Sen"));
            self.leaves(Place::Province, &name, look).await?;
        }
        let path = format!("/documents/{}", ids.result);
        let document = async { ok(cast.desk.officer.get(&path).await?) };
        self.leaves(Place::Province, "GET /documents/{id}", document)
            .await?;
        ids.case = case;
        Ok(())
    }

    async fn desk_by_pages(&mut self, cast: &mut Cast, case: &str) -> anyhow::Result<()> {
        let desk = &mut cast.desk;
        let path = format!("/desk/cases/{case}");
        at_desk(&mut desk.receptionist, case, |_| true).await?;
        let look = async { ok(desk.receptionist.get(&path).await?) };
        self.leaves(Place::Province, "GET /desk/cases/{code}", look)
            .await?;
        let notice = format!("{path}/papers/GCS");
        let paper = async { ok(desk.receptionist.get(&notice).await?) };
        self.leaves(Place::Province, "GET /desk/cases/{code}/papers/{paper}", paper)
            .await?;
        self.press(&mut desk.receptionist, case, "accept", &[]).await?;
        let slip = format!("{path}/receipt");
        let receipt = async { ok(desk.receptionist.get(&slip).await?) };
        self.leaves(Place::Province, "GET /desk/cases/{code}/receipt", receipt)
            .await?;
        let granted = [("outcome", "granted"), ("note", "Đủ điều kiện")];
        self.press(&mut desk.officer, case, "propose", &granted).await?;
        self.look(&mut desk.applicant, case).await?;
        at_desk(&mut desk.chairman, case, |c| c["state"] == "to-sign").await?;
        let unsigned = format!("{path}/draft");
        let draft = async { ok(desk.chairman.get(&unsigned).await?) };
        self.leaves(Place::Province, "GET /desk/cases/{code}/draft", draft)
            .await?;
        self.press(
            &mut desk.chairman,
            case,
            "send-back",
            &[("note", "Xem lại nơi sinh")],
        )
        .await?;
        at_desk(&mut desk.officer, case, can("propose")).await?;
        self.press(&mut desk.officer, case, "propose", &granted).await?;
        self.look(&mut desk.applicant, case).await?;
        at_desk(&mut desk.chairman, case, can("sign")).await?;
        self.press(&mut desk.chairman, case, "sign", &[]).await?;
        at_desk(&mut desk.clerk, case, can("seal")).await?;
        self.press(&mut desk.clerk, case, "seal", &[]).await?;
        at_desk(&mut desk.receptionist, case, can("return")).await?;
        self.press(&mut desk.receptionist, case, "return", &[]).await
    }

    /// The applicant looks at the draft on the case's page and finds it right.
    async fn look(&mut self, who: &mut Person, case: &str) -> anyhow::Result<()> {
        birth::at_portal(who, case, |c| !c["draft"].is_null()).await?;
        let to = format!("/cases/{case}/draft-answer");
        let call = async { ok(who.post(&to, &[("agreed", "yes"), ("note", "")]).await?) };
        self.leaves(Place::National, "POST /cases/{code}/draft-answer", call)
            .await?;
        Ok(())
    }

    /// The same as a program does it.
    async fn look_by_json(&mut self, who: &mut Person, case: &str) -> anyhow::Result<()> {
        birth::at_portal(who, case, |c| !c["draft"].is_null()).await?;
        let to = format!("/api/v1/cases/{case}/draft-answer");
        let said = json!({"agreed": true});
        self.leaves(
            Place::National,
            "POST /api/v1/cases/{code}/draft-answer",
            who.post_json(&to, &said),
        )
        .await?;
        Ok(())
    }

    /// Presses a button of the case's page.
    async fn press(
        &mut self,
        who: &mut Person,
        case: &str,
        verb: &str,
        more: &[(&str, &str)],
    ) -> anyhow::Result<()> {
        let path = format!("/desk/cases/{case}");
        let page = who.get(&path).await?;
        let revision =
            hidden(&page.ok()?.text(), "revision").with_context(|| format!("no button to {verb}"))?;
        let fields = [&[("revision", revision.as_str())], more].concat();
        let to = format!("{path}/{verb}");
        let call = async { ok(who.post(&to, &fields).await?) };
        self.leaves(
            Place::Province,
            &format!("POST /desk/cases/{{code}}/{verb}"),
            call,
        )
        .await?;
        Ok(())
    }

    async fn by_json(&mut self, cast: &mut Cast) -> anyhow::Result<String> {
        let world = self.nation.world.clone();
        let case = birth::whole(&mut cast.mother, &Answers::usual(&world)?, &birth::paper(&world)?).await?;
        let desk = &mut cast.desk;
        at_desk(&mut desk.receptionist, &case, |_| true).await?;
        let path = format!("/api/v1/desk/cases/{case}");
        let look = async { ok(desk.receptionist.get(&path).await?) };
        self.leaves(Place::Province, "GET /api/v1/desk/cases/{code}", look)
            .await?;
        let granted = json!({"outcome": "granted", "note": "Đủ điều kiện"});
        self.act(&mut desk.receptionist, &case, "accept", &json!({}))
            .await?;
        self.act(&mut desk.officer, &case, "propose", &granted).await?;
        self.look_by_json(&mut desk.applicant, &case).await?;
        self.act(
            &mut desk.chairman,
            &case,
            "send-back",
            &json!({"note": "Xem lại"}),
        )
        .await?;
        self.act(&mut desk.officer, &case, "propose", &granted).await?;
        self.look_by_json(&mut desk.applicant, &case).await?;
        self.act(&mut desk.chairman, &case, "sign", &json!({})).await?;
        self.act(&mut desk.clerk, &case, "seal", &json!({})).await?;
        self.act(&mut desk.receptionist, &case, "return", &json!({}))
            .await?;
        Ok(case)
    }

    /// Does a verb as a program does, once it may be done.
    async fn act(&mut self, who: &mut Person, case: &str, verb: &str, more: &Value) -> anyhow::Result<()> {
        let seen = at_desk(who, case, can(verb)).await?;
        let name = format!("POST /api/v1/desk/cases/{{code}}/{verb}");
        let call = birth::act(who, &seen, verb, more);
        self.leaves(Place::Province, &name, call).await?;
        Ok(())
    }

    async fn operate(&mut self, cast: &mut Cast, ids: &mut Ids) -> anyhow::Result<()> {
        let usage = |path: &str| self.nation.site.url(Place::Ministry, path);
        let (page, api) = (usage("/my/data-usage"), usage("/api/v1/my/data-usage"));
        let page = async { ok(cast.mother.browser.get(&page).await?) };
        self.leaves(Place::Ministry, "GET /my/data-usage", page).await?;
        let api = async { ok(cast.mother.browser.get(&api).await?) };
        self.leaves(Place::Ministry, "GET /api/v1/my/data-usage", api)
            .await?;
        let operator = cast.operators.get_mut(&Place::National).context("an operator")?;
        let listed = operator.get("/api/v1/exchange/exchanges").await?.json()?;
        ids.request = listed[0]["request"].as_str().context("an exchange")?.to_owned();
        let nothing = json!({});
        let rebuild = operator.post_json("/api/v1/indicators/rebuild", &nothing);
        self.leaves(Place::National, "POST /api/v1/indicators/rebuild", rebuild)
            .await?;
        let rows = operator.get("/api/v1/indicators/cases-received/rows");
        self.leaves(Place::National, "GET /api/v1/indicators/{figure}/rows", rows)
            .await?;
        let rows = operator.get("/boards/figures/cases-received/rows");
        self.leaves(Place::National, "GET /boards/figures/{figure}/rows", rows)
            .await?;
        let name = "POST /api/v1/directory/certificates/{thumbprint}/revoke";
        let lost = format!("/api/v1/directory/certificates/{}/revoke", "ab".repeat(32));
        let why = json!({"reason": "Mất khóa (mẫu)"});
        let revoke = operator.post_json(&lost, &why);
        self.leaves(Place::National, name, revoke).await?;
        let agreements = operator.get("/api/v1/exchange/agreements").await?.json()?;
        let mut marriages = agreements
            .as_array()
            .into_iter()
            .flatten()
            .filter(|a| a["provider"] == "G15");
        let hash = marriages
            .next()
            .and_then(|a| a["hash"].as_str())
            .context("an agreement of G15")?;
        ids.agreement = hash.to_owned();
        let path = format!("/api/v1/exchange/agreements/{hash}/revoke");
        let body = json!({"by": "G22", "reason": "Hết nhu cầu (mẫu)"});
        let revoke = operator.post_json(&path, &body);
        self.leaves(
            Place::National,
            "POST /api/v1/exchange/agreements/{hash}/revoke",
            revoke,
        )
        .await?;
        Ok(())
    }
}

/// True when the reader of a case may do a verb now.
fn can(verb: &str) -> impl Fn(&Value) -> bool {
    let verb = verb.to_owned();
    move |case| {
        case["verbs"]
            .as_array()
            .is_some_and(|list| list.iter().any(|v| *v == verb.as_str()))
    }
}

fn ok(reply: Reply) -> anyhow::Result<Reply> {
    reply.ok()?;
    Ok(reply)
}

fn fact_name(fact: &kernel::Fact) -> String {
    let json = serde_json::to_value(fact).unwrap_or_default();
    json["fact"].as_str().unwrap_or_default().to_owned()
}
