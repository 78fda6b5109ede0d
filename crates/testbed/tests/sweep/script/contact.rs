//! The mother says where she wants to be told of her cases, is told there, reads her inbox and takes her addresses back:
//! e-mail by the pages, SMS as a program does it.

use sen::up::nation::Place;
use serde_json::{Value, json};
use testbed::messages;

use super::Script;
use super::courses::By;
use crate::stage::Cast;

const NATIONAL: Place = Place::National;

impl Script<'_> {
    pub(super) async fn contact(&mut self, cast: &mut Cast) -> anyhow::Result<()> {
        let port = self.nation.site.port;
        let reached = [
            (By::Page, "email", "me@mau.example.vn", "me@mau.example.vn"),
            (By::Json, "sms", "0912 345 699", "+84912345699"),
        ];
        for (by, way, typed, kept) in reached {
            let wish = [
                ("address", json!(typed)),
                ("scope", json!("all")),
                ("lang", json!("vi")),
            ];
            let path = format!("/contact/{way}");
            let call = by.send(&mut cast.mother, &path, &wish);
            self.leaves(NATIONAL, &by.name("/contact/{way}"), call).await?;
            let code = [("code", json!(messages::code(port, kept).await?))];
            let path = format!("{path}/confirm");
            let call = by.send(&mut cast.mother, &path, &code);
            self.leaves(NATIONAL, &by.name("/contact/{way}/confirm"), call)
                .await?;
        }
        let case = self.filed(cast).await?;
        for (by, way, _, kept) in reached {
            messages::told(port, kept, &case).await?;
            let read: &[(&str, Value)] = match by {
                By::Page => &[("id", json!(format!("{case}/0")))],
                By::Json => &[],
            };
            let call = by.send(&mut cast.mother, "/inbox/read", read);
            self.leaves(NATIONAL, &by.name("/inbox/read"), call).await?;
            let remove = format!("/contact/{way}/remove");
            let call = by.send(&mut cast.mother, &remove, &[]);
            self.leaves(NATIONAL, &by.name("/contact/{way}/remove"), call)
                .await?;
        }
        Ok(())
    }
}
