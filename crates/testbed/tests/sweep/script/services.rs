//! What an operator does about services and the systems that connect, each once by the pages and once as
//! a program does it: registered, changed, its document taken over, disabled, taken off.

use anyhow::Context as _;
use sen::up::nation::Place;
use serde_json::{Value, json};
use testbed::people::Person;

use super::Script;
use super::courses::By;
use crate::stage::Cast;

/// Where the operations are, below `/api/v1` for programs.
const SERVICES: &str = "/exchange/services";
const CLIENTS: &str = "/exchange/clients";
/// The path of one, as the description has it.
const ONE: &str = "/exchange/services/{org}/{system}/{code}";

impl Script<'_> {
    /// Leads a service and a certificate from the registration to the end, by each face.
    pub(super) async fn services(&mut self, cast: &mut Cast) -> anyhow::Result<()> {
        for (by, code) in [(By::Page, "by-page"), (By::Json, "by-program")] {
            self.service(cast, by, code).await.context(code)?;
            self.certificate(cast, by).await.context("a certificate")?;
        }
        self.declared(cast).await.context("a declared service")
    }

    /// Carries out what a file declares, and takes it off again.
    async fn declared(&mut self, cast: &mut Cast) -> anyhow::Result<()> {
        let (by, who) = (By::Json, operator(cast)?);
        let service = json!({"service": "G01/population/declared", "url": "http://127.0.0.1:9"});
        let file = [("service", json!([service]))];
        let call = by.send(who, "/exchange/apply", &file);
        self.leaves(Place::Ministry, &by.name("/exchange/apply"), call)
            .await?;
        let disable = [("do", json!("disable")), ("notice", json!("Bảo trì (mẫu)"))];
        for fields in [&disable[..], &[("do", json!("remove"))]] {
            let stand = format!("{SERVICES}/G01/population/declared/stand");
            by.send(who, &stand, fields).await?;
        }
        Ok(())
    }

    async fn service(&mut self, cast: &mut Cast, by: By, code: &str) -> anyhow::Result<()> {
        let document = self.nation.site.url(Place::Ministry, "/api/openapi.json");
        let named = format!("{SERVICES}/G01/population/{code}");
        let ms = |ms: u64| match by {
            By::Page => json!(ms.to_string()),
            By::Json => json!(ms),
        };
        let text = |timeout_ms| {
            vec![
                ("service", json!(format!("G01/population/{code}"))),
                ("url", json!("http://127.0.0.1:9")),
                ("timeout_ms", ms(timeout_ms)),
                ("openapi", json!(document)),
                ("endpoints", json!(["GET /sample"])),
            ]
        };
        let who = operator(cast)?;
        let (first, second) = (text(1_000), text(5_000));
        let (endpoints, stand) = (format!("{named}/endpoints"), format!("{named}/stand"));
        let call = by.send(who, SERVICES, &first);
        self.leaves(Place::Ministry, &by.name(SERVICES), call).await?;
        let call = by.send(who, &named, &second);
        self.leaves(Place::Ministry, &by.name(ONE), call).await?;
        let compare = format!("/api/v1{named}/compare");
        let difference = who.post_json(&compare, &Value::Null).await?;
        let seen = [("seen", difference["seen"].clone())];
        let call = by.send(who, &endpoints, &seen);
        self.leaves(Place::Ministry, &by.name(&format!("{ONE}/endpoints")), call)
            .await?;
        let operation = by.name(&format!("{ONE}/stand"));
        let disable = [("do", json!("disable")), ("notice", json!("Bảo trì (mẫu)"))];
        for fields in [&disable[..], &[("do", json!("remove"))]] {
            let call = by.send(who, &stand, fields);
            self.leaves(Place::Ministry, &operation, call).await?;
        }
        Ok(())
    }

    async fn certificate(&mut self, cast: &mut Cast, by: By) -> anyhow::Result<()> {
        let pem = std::fs::read_to_string(self.nation.site.data.join("ca.pem"))?;
        let fields = [("system", json!("G01/population")), ("certificate", json!(pem))];
        let who = operator(cast)?;
        let call = by.send(who, CLIENTS, &fields);
        self.leaves(Place::Ministry, &by.name(CLIENTS), call).await?;
        let all = who.get("/api/v1/exchange/clients").await?.json()?;
        let fields = [
            ("system", json!("G01/population")),
            ("thumbprint", all[0]["thumbprint"].clone()),
        ];
        let remove = format!("{CLIENTS}/remove");
        let call = by.send(who, &remove, &fields);
        self.leaves(Place::Ministry, &by.name(&remove), call).await?;
        self.connection(cast, by).await
    }

    /// Says how a system has to connect, and takes it back.
    async fn connection(&mut self, cast: &mut Cast, by: By) -> anyhow::Result<()> {
        let (connections, who) = (format!("{CLIENTS}/connections"), operator(cast)?);
        let system = match by {
            By::Page => "connecting",
            By::Json => "system",
        };
        for kind in ["https", "node"] {
            let fields = [(system, json!("G01/population")), ("connection", json!(kind))];
            let call = by.send(who, &connections, &fields);
            self.leaves(Place::Ministry, &by.name(&connections), call).await?;
        }
        Ok(())
    }
}

fn operator(cast: &mut Cast) -> anyhow::Result<&mut Person> {
    cast.operators.get_mut(&Place::Ministry).context("an operator")
}
