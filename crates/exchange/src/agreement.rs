//! A data-sharing agreement (văn bản thỏa thuận chia sẻ dữ liệu): the twelve items of Decree
//! 47/2020/NĐ-CP, article 38, machine-readable, signed by both organisations. Pure: never a row.

use kernel::{Digest, Kind, OrgCode, Problem, Time};
use seal::jws;
use seal::key::SigningKey;
use serde::{Deserialize, Serialize};

use crate::endpoint::{self, Endpoint};
use crate::grouped::UnderGroup;
use crate::ids::{ServiceId, SystemId};
use crate::kept::KeptBodies;
use crate::processing::{RETENTION_DAYS_MAX, SubProcessing};
use crate::quota::Quota;
use crate::rest::Rest;
use crate::signed::{self, KeysOf};

/// The type in the header of an acceptance.
const ACCEPTANCE: &str = "sen-agreement";
/// The type in the header of a revocation.
const REVOCATION: &str = "sen-agreement-revocation";
/// Size of one agreement as canonical JSON, in bytes: it has to fit into a notice.
const AGREEMENT_BYTES_MAX: usize = 24 * 1024;
/// Fields that one agreement grants, count.
const FIELDS_MAX: usize = 200;

/// The agreement itself: immutable; its hash is its name in every message and evidence record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// The parties' own number for it.
    pub id: String,
    /// Item 1: the provider.
    pub provider: OrgCode,
    /// Item 1: the user and its system.
    pub consumer: SystemId,
    /// Item 2: the service.
    pub service: ServiceId,
    /// Item 2: the fields granted; empty for a service without a record in its answer.
    #[serde(default)]
    pub fields: Vec<String>,
    /// Item 2: the endpoints granted; empty for the whole service. Left out of the text when empty,
    /// so that agreements made before there were endpoints keep their hash.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<Endpoint>,
    /// Item 2: what the data is for.
    pub purpose: String,
    /// Item 2: the legal basis of the sharing.
    pub legal_basis: String,
    /// Item 3: where.
    pub place: String,
    /// Item 4: from when.
    pub valid_from: Time,
    /// Item 4: until when.
    pub valid_to: Time,
    /// Item 5: how it is shared.
    pub sharing_method: String,
    /// Item 6: what is done with it after receipt.
    pub handling: String,
    /// Item 7: conditions and limits, in words.
    pub conditions: String,
    /// Item 7: calls a minute.
    pub rate_per_minute: u32,
    /// Item 7: calls a day and a month. Left out of the text when nothing is bounded, so that
    /// agreements made before there were quotas keep their hash.
    #[serde(default, skip_serializing_if = "Quota::is_none")]
    pub quota: Quota,
    /// Item 8: commitments.
    pub commitments: String,
    /// Item 9: protection and authentication.
    pub protection: String,
    /// Item 10: storage and derived data.
    pub storage: String,
    /// Item 11: deletion.
    pub deletion: String,
    /// Item 12: anything else.
    #[serde(default)]
    pub other: String,
    /// Item 10: which bodies both sides keep, and for how long. Left out of the text when only digests are
    /// kept, so that agreements made before bodies were kept keep their hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bodies: Option<KeptBodies>,
    /// Item 10: for how many days at most what was received is kept. Left out of the text when it says no
    /// number, so that agreements made before there was one keep their hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<u32>,
    /// Item 6: who else may process what was received. Left out of the text when it says nothing of it, so
    /// that agreements made before keep their hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_processing: Option<SubProcessing>,
    /// The group for whose members the provider offers it. Left out of the text without one, so that
    /// agreements made before there were groups keep their hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<UnderGroup>,
}

/// An agreement with both signatures (compact JWS over its hash). Nothing else may stand beside them: it
/// would look signed and be under neither signature.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedAgreement {
    /// The agreement.
    pub agreement: Agreement,
    /// The provider's acceptance.
    pub provider_acceptance: String,
    /// The consumer's acceptance.
    pub consumer_acceptance: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Word {
    agreement: Digest,
    party: OrgCode,
    at: Time,
    #[serde(default)]
    reason: String,
}

impl Agreement {
    /// The hash of its canonical JSON (RFC 8785).
    #[must_use]
    pub fn hash(&self) -> Digest {
        let json = kernel::digest::canonical_json(self).expect("an agreement is text, times and a number");
        Digest::of(json.as_bytes())
    }

    /// Refuses a call outside the agreement's term.
    ///
    /// # Errors
    /// `agreement-expired`, also when its term has not begun.
    pub fn in_term(&self, at: Time) -> Result<(), Problem> {
        if self.valid_from <= at && at < self.valid_to {
            Ok(())
        } else {
            Err(Problem::new(Kind::Forbidden, "agreement-expired").with("agreement", &self.id))
        }
    }

    /// What keeps it from being asked for or offered: items of article 38 that say nothing, a term
    /// that ends before it begins or is over, another's service; each at its field.
    #[must_use]
    pub fn faults(&self, now: Time) -> Vec<Problem> {
        let mut faults: Vec<Problem> = self
            .items()
            .into_iter()
            .filter(|(field, text)| *field != "other" && text.trim().is_empty())
            .map(|(field, _)| Problem::invalid(field, "agreement-item-empty"))
            .collect();
        if self.service.org != self.provider {
            faults.push(Problem::invalid("service", "agreement-service"));
        }
        if self.group.is_some() && self.provider.instance() != self.consumer.org.instance() {
            faults.push(Problem::invalid("consumer", "group-instances"));
        }
        if self.valid_to <= self.valid_from || self.valid_to <= now {
            faults.push(Problem::invalid("valid_to", "agreement-term"));
        }
        if self.rate_per_minute == 0 {
            faults.push(Problem::invalid("rate_per_minute", "agreement-rate"));
        }
        faults.extend(self.quota.faults());
        faults.extend(retention_fault(self.retention_days, self.bodies));
        let is_field = |f: &String| !f.is_empty() && !f.contains(char::is_whitespace);
        if self.fields.len() > FIELDS_MAX || !self.fields.iter().all(is_field) {
            faults.push(Problem::invalid("fields", "agreement-fields").with("max", FIELDS_MAX));
        }
        if self.bytes() > AGREEMENT_BYTES_MAX {
            faults.push(Problem::invalid("other", "agreement-too-long").with("max", AGREEMENT_BYTES_MAX));
        }
        faults
    }

    /// Which bodies both sides keep, and never for longer than what was received may be kept.
    #[must_use]
    pub fn kept_bodies(&self) -> Option<KeptBodies> {
        let kept = self.bodies?;
        Some(self.retention_days.map_or(kept, |days| kept.at_most(days)))
    }

    /// Its items that are words, by field, in the order of the article.
    #[must_use]
    pub fn items(&self) -> [(&'static str, &str); 12] {
        [
            ("id", &self.id),
            ("purpose", &self.purpose),
            ("legal_basis", &self.legal_basis),
            ("place", &self.place),
            ("sharing_method", &self.sharing_method),
            ("handling", &self.handling),
            ("conditions", &self.conditions),
            ("commitments", &self.commitments),
            ("protection", &self.protection),
            ("storage", &self.storage),
            ("deletion", &self.deletion),
            ("other", &self.other),
        ]
    }

    /// True when both are between the same system and the same service: only then is one an answer to
    /// a request for the other.
    #[must_use]
    pub fn same_parties(&self, other: &Self) -> bool {
        self.provider == other.provider
            && self.consumer == other.consumer
            && self.service == other.service
            && self.group == other.group
    }

    fn bytes(&self) -> usize {
        kernel::digest::canonical_json(self).map_or(usize::MAX, |json| json.len())
    }

    /// Refuses a call of an endpoint that is not granted, and one that leads out of the service.
    ///
    /// # Errors
    /// `path-outside`, `agreement-endpoint`.
    pub fn grants(&self, rest: &Rest) -> Result<(), Problem> {
        if endpoint::leads_out(&rest.target) {
            return Err(Problem::new(Kind::Malformed, "path-outside").with("service", &self.service));
        }
        if endpoint::granted(&self.endpoints, rest.method, &rest.target) {
            return Ok(());
        }
        // Not the path: it may name a person.
        Err(Problem::new(Kind::Forbidden, "agreement-endpoint")
            .with("agreement", &self.id)
            .with("service", &self.service)
            .with("method", rest.method)
            .with("granted", self.granted()))
    }

    /// The endpoints it covers, in one line.
    pub(crate) fn granted(&self) -> String {
        let all: Vec<String> = self.endpoints.iter().map(ToString::to_string).collect();
        all.join(", ")
    }

    /// A party's acceptance.
    #[must_use]
    pub fn accept(&self, party: &OrgCode, at: Time, key: &SigningKey) -> String {
        word(ACCEPTANCE, self.hash(), party, at, "", key)
    }
}

/// What is wrong with the days for which what was received is kept, and with those of bodies beside them.
pub(crate) fn retention_fault(days: Option<u32>, bodies: Option<KeptBodies>) -> Option<Problem> {
    let days = days?;
    if !(1..=RETENTION_DAYS_MAX).contains(&days) {
        let fault = Problem::invalid("retention_days", "agreement-retention");
        return Some(fault.with("max", RETENTION_DAYS_MAX));
    }
    let longer = bodies.is_some_and(|kept| kept.days() > days);
    longer.then(|| Problem::invalid("keep_bodies_days", "agreement-bodies-longer").with("max", days))
}

/// A party's word that an agreement ends now.
#[must_use]
pub fn revocation(agreement: Digest, party: &OrgCode, at: Time, reason: &str, key: &SigningKey) -> String {
    word(REVOCATION, agreement, party, at, reason, key)
}

/// Reads a revocation: which agreement, by whom, why.
///
/// # Errors
/// `seal-broken` when it is not signed by the party it names.
pub fn read_revocation(token: &str, keys_of: &KeysOf<'_>) -> Result<(Digest, OrgCode, String), Problem> {
    let word = read(REVOCATION, token, keys_of)?;
    Ok((word.agreement, word.party, word.reason))
}

fn word(typ: &str, agreement: Digest, party: &OrgCode, at: Time, reason: &str, key: &SigningKey) -> String {
    let word = Word {
        agreement,
        party: party.clone(),
        at,
        reason: reason.to_owned(),
    };
    let payload = kernel::digest::canonical_json(&word).expect("a word is text and a time");
    jws::sign(typ, party.as_str(), payload.as_bytes(), key)
}

fn read(typ: &str, token: &str, keys_of: &KeysOf<'_>) -> Result<Word, Problem> {
    let broken = || Problem::new(Kind::Invalid, "seal-broken").with("hop", "agreement");
    let (signer, payload) = signed::verify(token, typ, keys_of).map_err(|e| broken().because(e))?;
    let word: Word = serde_json::from_slice(&payload).map_err(|e| broken().because(e))?;
    // The key was looked up by the header's kid: the signed words must name the same party.
    if signer == word.party.as_str() {
        Ok(word)
    } else {
        Err(broken())
    }
}

/// Reads one party's acceptance of an agreement: when it was given.
///
/// # Errors
/// `seal-broken` when it is another party's, or over another agreement.
pub(crate) fn read_acceptance(
    token: &str,
    agreement: &Digest,
    party: &OrgCode,
    keys_of: &KeysOf<'_>,
) -> Result<Time, Problem> {
    let word = read(ACCEPTANCE, token, keys_of)?;
    if word.agreement != *agreement || word.party != *party {
        return Err(Problem::new(Kind::Invalid, "seal-broken").with("hop", party));
    }
    Ok(word.at)
}

/// When an acceptance that was checked before was given.
pub(crate) fn signed_at(acceptance: &str) -> Option<Time> {
    let word: Word = serde_json::from_slice(&jws::peek(acceptance).ok()?).ok()?;
    Some(word.at)
}

impl SignedAgreement {
    /// Checks both acceptances against the organisations' certificates.
    ///
    /// # Errors
    /// `seal-broken` when a signature is missing, by another party, or over another agreement.
    pub fn check(&self, keys_of: &KeysOf<'_>) -> Result<Digest, Problem> {
        let hash = self.agreement.hash();
        let parties = [
            (&self.agreement.provider, &self.provider_acceptance),
            (&self.agreement.consumer.org, &self.consumer_acceptance),
        ];
        for (party, acceptance) in parties {
            read_acceptance(acceptance, &hash, party, keys_of)?;
        }
        let service = &self.agreement.service;
        if service.org != self.agreement.provider || service.is_reserved() {
            return Err(Problem::invalid("service", "agreement-service"));
        }
        if self.agreement.is_for_a_group() {
            return Err(Problem::invalid("consumer", "group-name"));
        }
        Ok(hash)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use seal::jws::PublicKey;

    pub(crate) fn sample() -> Agreement {
        Agreement {
            id: "01/TT-TEST".into(),
            provider: "G01".parse().expect("code"),
            consumer: "G22/portal".parse().expect("id"),
            service: "G01/population/person-lookup".parse().expect("id"),
            fields: vec!["full_name".into()],
            endpoints: Vec::new(),
            purpose: "p".into(),
            legal_basis: "b".into(),
            place: "x".into(),
            valid_from: Time(0),
            valid_to: Time(1_000),
            sharing_method: "x".into(),
            handling: "x".into(),
            conditions: "x".into(),
            rate_per_minute: 60,
            quota: Quota::default(),
            commitments: "x".into(),
            protection: "x".into(),
            storage: "x".into(),
            deletion: "x".into(),
            other: String::new(),
            bodies: None,
            retention_days: None,
            sub_processing: None,
            group: None,
        }
    }

    fn keys() -> (SigningKey, SigningKey) {
        (SigningKey::generate(), SigningKey::generate())
    }

    fn signed(agreement: Agreement, provider: &SigningKey, consumer: &SigningKey) -> SignedAgreement {
        SignedAgreement {
            provider_acceptance: agreement.accept(&agreement.provider, Time(1), provider),
            consumer_acceptance: agreement.accept(&agreement.consumer.org, Time(1), consumer),
            agreement,
        }
    }

    fn lookup<'a>(p: &'a SigningKey, c: &'a SigningKey) -> impl Fn(&OrgCode, Time) -> Vec<PublicKey> + 'a {
        move |org, _| match org.as_str() {
            "G01" => vec![PublicKey::of(p)],
            "G22" => vec![PublicKey::of(c)],
            _ => Vec::new(),
        }
    }

    #[test]
    fn an_agreement_binds_only_when_both_organisations_signed_that_very_text() {
        let (p, c) = keys();
        let good = signed(sample(), &p, &c);
        assert!(good.check(&lookup(&p, &c)).is_ok());
        let widened = SignedAgreement {
            agreement: Agreement {
                fields: vec!["full_name".into(), "residence".into()],
                ..sample()
            },
            ..good.clone()
        };
        assert_eq!(
            widened.check(&lookup(&p, &c)).expect_err("widened").code,
            "seal-broken"
        );
        let one_sided = SignedAgreement {
            consumer_acceptance: good.provider_acceptance.clone(),
            ..good
        };
        assert_eq!(
            one_sided.check(&lookup(&p, &c)).expect_err("one-sided").code,
            "seal-broken"
        );
    }

    #[test]
    fn an_agreement_with_a_field_that_nobody_knows_is_not_read() {
        let (p, c) = keys();
        let text = serde_json::to_value(signed(sample(), &p, &c)).expect("json");
        let read = |text: &serde_json::Value| serde_json::from_value::<SignedAgreement>(text.clone());
        assert!(read(&text).is_ok());
        let mut beside = text.clone();
        beside["more"] = 1.into();
        let mut inside = text.clone();
        inside["agreement"]["more"] = 1.into();
        let mut in_the_quota = text.clone();
        in_the_quota["agreement"]["quota"] = serde_json::json!({"per_day": 1, "per_year": 1});
        for (name, bad) in [
            ("beside", beside),
            ("inside", inside),
            ("in the quota", in_the_quota),
        ] {
            assert!(read(&bad).is_err(), "{name}");
        }
        let twice = text
            .to_string()
            .replacen("\"purpose\":", "\"purpose\":\"q\",\"purpose\":", 1);
        assert!(serde_json::from_str::<SignedAgreement>(&twice).is_err());
    }

    #[test]
    fn an_agreement_or_a_signature_altered_in_any_bit_of_any_byte_is_refused() {
        let (p, c) = keys();
        let good = signed(sample(), &p, &c);
        let find = lookup(&p, &c);
        let hash = good.check(&find).expect("good");
        let json = kernel::digest::canonical_json(&good.agreement).expect("json");
        for (at, bit) in (0..json.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut bytes = json.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            // What is no agreement any more is refused where it is read.
            let Ok(agreement) = serde_json::from_slice::<Agreement>(&bytes) else {
                continue;
            };
            let is_the_same = agreement == good.agreement;
            let altered = SignedAgreement {
                agreement,
                ..good.clone()
            };
            assert!(
                is_the_same || altered.check(&find).is_err(),
                "byte {at}, bit {bit}"
            );
        }
        for of_provider in [true, false] {
            let word = if of_provider {
                &good.provider_acceptance
            } else {
                &good.consumer_acceptance
            };
            for (at, bit) in (0..word.len()).flat_map(|at| (0..7).map(move |bit| (at, bit))) {
                let mut bytes = word.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let word = String::from_utf8(bytes).expect("seven bits");
                let altered = if of_provider {
                    SignedAgreement {
                        provider_acceptance: word,
                        ..good.clone()
                    }
                } else {
                    SignedAgreement {
                        consumer_acceptance: word,
                        ..good.clone()
                    }
                };
                assert!(altered.check(&find).is_err(), "byte {at}, bit {bit}");
            }
        }
        assert_eq!(good.check(&find).expect("still good"), hash);
    }

    #[test]
    fn an_agreement_holds_from_its_first_instant_up_to_but_not_with_its_last() {
        let a = sample();
        assert!(a.in_term(Time(0)).is_ok() && a.in_term(Time(999)).is_ok());
        assert_eq!(
            a.in_term(Time(1_000)).expect_err("over").code,
            "agreement-expired"
        );
        assert_eq!(
            a.in_term(Time(-1)).expect_err("not begun").code,
            "agreement-expired"
        );
    }

    #[test]
    fn an_agreement_that_leaves_an_item_of_the_article_unsaid_is_told_where() {
        assert!(sample().faults(Time(0)).is_empty());
        let bad = Agreement {
            purpose: " ".into(),
            valid_to: Time(0),
            rate_per_minute: 0,
            fields: vec!["two words".into()],
            service: "G15/population/person-lookup".parse().expect("id"),
            ..sample()
        };
        let told: Vec<_> = bad.faults(Time(0)).into_iter().map(|p| p.code).collect();
        assert_eq!(
            told,
            [
                "agreement-item-empty",
                "agreement-service",
                "agreement-term",
                "agreement-rate",
                "agreement-fields"
            ]
        );
        let long = Agreement {
            other: "x".repeat(AGREEMENT_BYTES_MAX),
            ..sample()
        };
        assert_eq!(long.faults(Time(0))[0].code, "agreement-too-long");
        let over = sample().faults(Time(1_000));
        assert_eq!(over[0].code, "agreement-term", "nobody needs one that has ended");
    }

    #[test]
    fn each_of_the_twelve_items_but_the_last_must_say_something() {
        for (field, text) in sample().items() {
            assert_eq!(text.is_empty(), field == "other", "{field} of the sample");
            for nothing in ["", " \t\n"] {
                let mut bad = serde_json::to_value(sample()).expect("json");
                bad[field] = nothing.into();
                let bad: Agreement = serde_json::from_value(bad).expect("reads");
                let told = bad.faults(Time(0));
                if field == "other" {
                    assert!(told.is_empty(), "other agreements may be none");
                    continue;
                }
                assert_eq!(told.len(), 1, "{field}");
                assert_eq!(
                    (told[0].code, told[0].field.as_deref()),
                    ("agreement-item-empty", Some(field))
                );
            }
        }
    }

    #[test]
    fn an_agreement_without_endpoints_has_the_hash_it_had_before_there_were_any() {
        let a = sample();
        assert!(
            !kernel::digest::canonical_json(&a)
                .expect("json")
                .contains("endpoints")
        );
        let narrowed = Agreement {
            endpoints: vec!["GET /persons/{id}".parse().expect("an endpoint")],
            ..sample()
        };
        assert_ne!(narrowed.hash(), a.hash());
        let text = serde_json::to_string(&narrowed).expect("json");
        assert_eq!(serde_json::from_str::<Agreement>(&text).expect("reads"), narrowed);
        assert!(serde_json::from_str::<Agreement>(&text.replace("GET /persons", "GET persons")).is_err());
    }

    #[test]
    fn an_agreement_that_says_nothing_of_retention_and_processors_has_the_bytes_it_had_before_it_could() {
        let json = |a: &Agreement| kernel::digest::canonical_json(a).expect("json");
        let before = concat!(
            r#"{"commitments":"x","conditions":"x","consumer":"G22/portal","deletion":"x","fields":["full_name"],"#,
            r#""handling":"x","id":"01/TT-TEST","legal_basis":"b","other":"","place":"x","protection":"x","#,
            r#""provider":"G01","purpose":"p","rate_per_minute":60,"service":"G01/population/person-lookup","#,
            r#""sharing_method":"x","storage":"x","valid_from":0,"valid_to":1000}"#
        );
        assert_eq!(json(&sample()), before);
        let read = |text: &str| serde_json::from_str::<Agreement>(text);
        let said = Agreement {
            retention_days: Some(90),
            sub_processing: serde_json::from_str(r#"["G15"]"#).ok(),
            ..sample()
        };
        let text = json(&said);
        assert!(
            text.contains(r#""rate_per_minute":60,"retention_days":90,"service""#),
            "{text}"
        );
        assert!(
            text.contains(r#""storage":"x","sub_processing":["G15"],"valid_from""#),
            "{text}"
        );
        assert_eq!(read(&text).expect("reads"), said);
        assert_ne!(said.hash(), sample().hash());
        assert!(read(&text.replace(r#"["G15"]"#, r#""anybody""#)).is_err());
    }

    #[test]
    fn no_body_is_kept_for_longer_than_what_was_received_may_be() {
        let with = |kept: u32, retention| Agreement {
            bodies: KeptBodies::new(crate::kept::KeptOf::Both, kept),
            retention_days: retention,
            ..sample()
        };
        let fields = |a: &Agreement| {
            let faults = a.faults(Time(1)).into_iter();
            faults.map(|p| p.field.unwrap_or_default()).collect::<Vec<_>>()
        };
        assert_eq!(fields(&with(30, Some(30))), Vec::<String>::new());
        assert_eq!(fields(&with(31, Some(30))), ["keep_bodies_days"]);
        assert_eq!(fields(&with(30, Some(0))), ["retention_days"]);
        assert_eq!(fields(&with(30, Some(36_501))), ["retention_days"]);
        // Also where both signed such a text all the same.
        let days = |a: Agreement| a.kept_bodies().expect("a rule").days();
        assert_eq!(
            (
                days(with(90, Some(30))),
                days(with(90, None)),
                days(with(9, Some(30)))
            ),
            (30, 90, 9)
        );
    }

    #[test]
    fn an_agreement_without_a_quota_has_the_hash_it_had_before_there_were_any() {
        let a = sample();
        assert!(
            !kernel::digest::canonical_json(&a)
                .expect("json")
                .contains("quota")
        );
        let bounded = Agreement {
            quota: Quota {
                per_day: Some(1_000),
                per_month: None,
            },
            ..sample()
        };
        assert_ne!(bounded.hash(), a.hash());
        let text = serde_json::to_string(&bounded).expect("json");
        assert!(text.contains(r#""quota":{"per_day":1000}"#), "{text}");
        assert_eq!(serde_json::from_str::<Agreement>(&text).expect("reads"), bounded);
        let none = Agreement {
            quota: Quota {
                per_day: Some(0),
                per_month: None,
            },
            ..sample()
        };
        assert_eq!(none.faults(Time(0))[0].code, "agreement-quota");
    }

    #[test]
    fn an_agreement_that_keeps_no_bodies_has_the_hash_it_had_before_any_were_kept() {
        use crate::kept::KeptOf;
        let a = sample();
        let json = |a: &Agreement| kernel::digest::canonical_json(a).expect("json");
        assert!(!json(&a).contains("bodies"));
        let keeping = Agreement {
            bodies: KeptBodies::new(KeptOf::Both, 90),
            ..sample()
        };
        assert_ne!(keeping.hash(), a.hash());
        let text = json(&keeping);
        assert!(text.contains(r#""bodies":{"days":90,"of":"both"}"#), "{text}");
        assert_eq!(serde_json::from_str::<Agreement>(&text).expect("reads"), keeping);
        assert!(serde_json::from_str::<Agreement>(&text.replace(":90", ":0")).is_err());
    }

    #[test]
    fn an_agreement_grants_its_endpoints_and_nothing_outside_its_service() {
        let rest = |method: &str, target: &str| Rest {
            method: method.parse().expect("a method"),
            target: target.to_owned(),
            ..Rest::default()
        };
        let whole = sample();
        assert!(whole.grants(&rest("DELETE", "/a/../b")).is_ok());
        assert_eq!(
            whole.grants(&rest("GET", "/../b")).expect_err("out").code,
            "path-outside"
        );
        let narrowed = Agreement {
            endpoints: vec!["GET /persons/{id}".parse().expect("an endpoint")],
            ..sample()
        };
        assert!(narrowed.grants(&rest("GET", "/persons/1")).is_ok());
        let refused = narrowed
            .grants(&rest("GET", "/persons/001099000001/acts"))
            .expect_err("refused");
        assert_eq!(refused.code, "agreement-endpoint");
        assert!(
            !format!("{refused:?}").contains("001099000001"),
            "a path may name a person"
        );
    }

    #[test]
    fn only_a_party_can_say_that_an_agreement_ends() {
        let (p, c) = keys();
        let hash = sample().hash();
        let token = revocation(hash, &"G01".parse().expect("code"), Time(5), "vi phạm", &p);
        assert_eq!(read_revocation(&token, &lookup(&p, &c)).expect("ours").0, hash);
        let forged = revocation(hash, &"G01".parse().expect("code"), Time(5), "x", &c);
        assert!(read_revocation(&forged, &lookup(&p, &c)).is_err());
    }
}
