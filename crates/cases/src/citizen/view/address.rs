//! The boxes of an address: province, commune, line. Never decides which commune is meant.

use super::{Field, Pick};
use crate::answers::{Typed, address_parts};
use crate::state::Cases;

impl Field {
    /// An address that was typed in its boxes, or is kept in one piece. The province that is chosen gives the names
    /// of its communes; of several communes of the same name, one is picked.
    pub(super) fn address(&mut self, cases: &Cases, typed: Option<&Typed>) {
        let (places, today) = (cases.places(), cases.today());
        let kept = std::mem::take(&mut self.value);
        let mut province = String::new();
        let mut choice = String::new();
        match (typed, address_parts(&kept)) {
            (_, Some((commune, line))) => {
                let within = places.province(&commune, today);
                province = within.map(|code| code.to_string()).unwrap_or_default();
                let name = places.full_name(&commune, today);
                name.split(',')
                    .next()
                    .unwrap_or_default()
                    .clone_into(&mut self.value);
                line.clone_into(&mut self.line);
            }
            (Some(typed), None) => {
                let part = |name: &str| {
                    typed
                        .get(&format!("{}-{name}", self.code))
                        .cloned()
                        .unwrap_or_default()
                };
                (province, choice) = (part("province"), part("choice"));
                (self.value, self.line) = (part("commune"), part("line"));
            }
            (None, None) => {}
        }
        let provinces = places.provinces(today).into_iter();
        let pick = |(code, label): (kernel::AreaCode, String)| Pick {
            picked: code.as_str() == province,
            value: code.to_string(),
            label,
        };
        self.provinces = provinces.map(pick).collect();
        if let Ok(code) = province.parse() {
            self.communes = places.communes(&code, today);
        }
        let mut found = places.find(&self.value, today);
        found.retain(|code| {
            let within = places.province(code, today);
            province.is_empty() || within.is_some_and(|within| within.as_str() == province)
        });
        if found.len() > 1 {
            let pick = |code: &kernel::AreaCode| Pick {
                picked: code.as_str() == choice,
                label: places.full_name(code, today),
                value: code.to_string(),
            };
            self.candidates = found.iter().map(pick).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Portal, lan};

    #[tokio::test]
    async fn an_address_is_typed_in_its_boxes_and_shown_in_words() {
        let portal = Portal::new().await;
        let begun = portal.post(Some(&lan()), "/procedures/9.000001/start", &[]).await;
        let path = begun.location();
        let petition = [
            ("about", "place"),
            ("field", "transport"),
            ("content", "Dòng một\r\nDòng  hai"),
        ];
        let kept = portal.page(&lan(), &path, "petition", 1, &petition).await;
        assert_eq!(kept.status, 303, "{}", kept.body);
        let mut fields = vec![
            ("address-province", "38"),
            ("address-commune", "Bình Minh"),
            ("address-line", "Số 1"),
            ("phone", "+84 912 345 678"),
            ("unnamed", "no"),
            ("receive_at", "Hoằng Hóa, Thanh Hóa"),
        ];
        let wrong = portal.page(&lan(), &path, "you", 2, &fields).await;
        assert_eq!(wrong.status, 422);
        for shown in [
            r##"href="#address""##,
            r#"<option value="38" selected>Tỉnh Thanh Hóa</option>"#,
            r#"<option value="Xã Hoằng Hóa"></option>"#,
            r#"value="Bình Minh""#,
            r#"value="Số 1""#,
        ] {
            assert!(wrong.body.contains(shown), "{shown}: {}", wrong.body);
        }
        fields[1].1 = "hoang hoa";
        let right = portal.page(&lan(), &path, "you", 2, &fields).await;
        assert_eq!(right.status, 303, "{}", right.body);
        let draft = portal.get(Some(&lan()), &format!("/api/v1{path}")).await.json();
        assert_eq!(draft["answers"]["address"], "15865 Số 1");
        assert_eq!(draft["answers"]["content"], "Dòng một\nDòng hai");
        let again = portal.get(Some(&lan()), &format!("{path}/pages/you")).await.body;
        assert!(again.contains(r#"value="Xã Hoằng Hóa""#) && again.contains(r#"value="no" checked"#));
        let check = portal.get(Some(&lan()), &format!("{path}/check")).await.body;
        for shown in [
            "Dòng một\nDòng hai",
            "Giao thông, đường sá",
            "Số 1, Xã Hoằng Hóa, Tỉnh Thanh Hóa",
            "0912345678",
            "<dd>Không</dd>",
        ] {
            assert!(check.contains(shown), "{shown}: {check}");
        }
    }
}
