//! What a container says was known when its message was stamped: the signed directory of that time, and by it how
//! it stood with the revocation of the seal. A check of its own beside the container's own. Never asks anybody.

use directory::Snapshot;
use directory::snapshot::Revoked;
use kernel::Time;
use seal::asice::{self, Said};
use seal::certificate::{Certificate, PathFault, Trust, Usage};
use seal::verdict::{Indication, Revocation, Verdict};

/// The file at fault.
const FILE: &str = "META-INF/directory.json";

/// A container's verdict with the state of revocation at its token's time. A seal that was revoked before it signed
/// fails; one that was revoked before the token was taken is undecided: nobody else says when it signed.
#[must_use]
pub fn judged(verdict: Verdict, zip: &[u8], trust: &Trust) -> Verdict {
    if verdict.indication == Indication::TotalFailed {
        return verdict;
    }
    let unknown = |verdict, why| with(verdict, Revocation::unknown(why));
    let Some(said) = asice::said(zip) else {
        return unknown(verdict, "the container has no directory of its time");
    };
    let Ok(snapshot) = serde_json::from_slice::<Snapshot>(&said.payload) else {
        return Verdict::failed("FORMAT_FAILURE", FILE);
    };
    if said.hub.organisation().as_deref() != Some(snapshot.hub.as_str()) {
        return Verdict::failed("FORMAT_FAILURE", FILE);
    }
    if trust.path(&said.hub, &[], snapshot.issued, Usage::Seal).is_err() {
        return unknown(verdict, "the hub that signed the directory is not trusted here");
    }
    let whose = said
        .signer
        .organisation()
        .and_then(|org| org.parse::<kernel::OrgCode>().ok());
    if whose.is_none_or(|org| org.instance() != snapshot.instance()) {
        return unknown(verdict, "the directory speaks for the seals of another instance");
    }
    judged_by(verdict, &said, &snapshot)
}

fn judged_by(verdict: Verdict, said: &Said, snapshot: &Snapshot) -> Verdict {
    let stamped = verdict.signed_at.unwrap_or(said.claimed);
    let seal = said.signer.thumbprint();
    let revoked = snapshot
        .revoked
        .iter()
        .find(|r| r.thumbprint == seal && r.at <= stamped);
    let state = state(said, snapshot, revoked);
    match revoked {
        None => with(verdict, state),
        Some(revoked) => {
            let (name, at) = (said.signer.common_name(), verdict.signed_at);
            let found = if revoked.at <= said.claimed {
                Verdict::failed("REVOKED", FILE)
            } else {
                Verdict::of_path(&PathFault::Revoked)
            };
            let found = Verdict {
                stamped: verdict.stamped,
                ..found.by(name, at)
            };
            with(found, state)
        }
    }
}

fn state(said: &Said, snapshot: &Snapshot, revoked: Option<&Revoked>) -> Revocation {
    let list = snapshot.authorities.iter().find(|a| {
        let authority = snapshot.authority_certificate(&a.certificate);
        authority.is_some_and(|authority| issued(&authority, &said.signer))
    });
    let (word, reason) = match (revoked, said.bound) {
        (Some(revoked), _) => ("revoked", revoked.reason.clone()),
        (None, true) => ("good", String::new()),
        (None, false) => ("unknown", "the timestamp does not cover the directory".to_owned()),
    };
    Revocation {
        state: word.to_owned(),
        reason,
        at: revoked.map(|revoked| revoked.at),
        source: revoked.and_then(|revoked| revoked.source.clone()),
        directory: Some(snapshot.serial),
        directory_at: Some(snapshot.issued),
        list: list.filter(|a| a.list.is_some()).and_then(|a| a.crl.clone()),
        list_at: list.and_then(|a| a.list.as_ref()).map(|list| list.this_update),
    }
}

fn issued(authority: &Certificate, seal: &Certificate) -> bool {
    authority.subject_digest() == seal.issuer_digest()
}

fn with(verdict: Verdict, revocation: Revocation) -> Verdict {
    Verdict {
        revocation: Some(Box::new(revocation)),
        ..verdict
    }
}

/// What a verdict says of revocation, for people.
#[must_use]
pub fn as_text(revocation: &Revocation) -> String {
    let mut text = revocation.state.clone();
    let mut add = |part: String| text.push_str(&part);
    if let Some(at) = revocation.at.map(Time::rfc3339) {
        add(format!(" since {at}"));
    }
    if !revocation.reason.is_empty() {
        add(format!(": {}", revocation.reason));
    }
    if let Some(source) = &revocation.source {
        add(format!(" ({source})"));
    }
    if let (Some(serial), Some(at)) = (revocation.directory, revocation.directory_at) {
        add(format!("; directory {serial} of {}", at.rfc3339()));
    }
    if let (Some(list), Some(at)) = (&revocation.list, revocation.list_at) {
        add(format!("; list {list} of {}", at.rfc3339()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Digest;
    use seal::authority::{Authority, Profile, Subject};

    fn at(minutes: i64) -> Time {
        Time::parse_rfc3339("2026-11-20T02:30:00Z")
            .expect("a time")
            .plus_ms(minutes * 60_000)
    }

    fn seal() -> Certificate {
        let from = at(-100_000);
        let root = Authority::new("Gốc", from).expect("an authority");
        let subject = Subject {
            common_name: "G01".to_owned(),
            organisation: Some("G01".to_owned()),
            position: None,
        };
        let issued = root.issue(Profile::OrganisationSeal, &subject, from, 3650, [1; 16]);
        issued.expect("issued").certificate
    }

    #[test]
    fn a_seal_revoked_before_it_signed_fails_and_one_revoked_before_the_token_is_undecided() {
        let seal = seal();
        let said = |bound| Said {
            payload: Vec::new(),
            hub: seal.clone(),
            bound,
            signer: seal.clone(),
            claimed: at(0),
        };
        let mut snapshot = Snapshot::empty("G22".parse().expect("a code"));
        let passed = || Verdict::passed("G01".to_owned(), at(1));
        let told = |snapshot: &Snapshot, bound| {
            let verdict = judged_by(passed(), &said(bound), snapshot);
            let state = verdict.revocation.clone().expect("said").state;
            (verdict.indication, verdict.reason, state)
        };
        let good = (Indication::TotalPassed, String::new(), "good".to_owned());
        assert_eq!(told(&snapshot, true), good);
        assert_eq!(told(&snapshot, false).2, "unknown", "it could be another time's");
        for (minutes, indication, reason) in [
            (-1, Indication::TotalFailed, "REVOKED"),
            (0, Indication::TotalFailed, "REVOKED"),
            (1, Indication::Indeterminate, "REVOKED_NO_POE"),
            (2, Indication::TotalPassed, ""),
        ] {
            snapshot.revoked = vec![Revoked {
                thumbprint: seal.thumbprint(),
                at: at(minutes),
                reason: "keyCompromise".to_owned(),
                source: Some("http://ca.example/ca.crl".to_owned()),
            }];
            let (found, why, _) = told(&snapshot, true);
            assert_eq!((found, why.as_str()), (indication, reason), "{minutes}");
            assert_eq!(
                told(&snapshot, false).0,
                indication,
                "the hub's own word counts in any case"
            );
        }
        snapshot.revoked[0].thumbprint = Digest::of(b"another");
        assert_eq!(told(&snapshot, true), good);
        let text = as_text(&Revocation {
            state: "revoked".to_owned(),
            at: Some(at(0)),
            source: Some("http://ca.example/ca.crl".to_owned()),
            ..Revocation::unknown("keyCompromise")
        });
        assert!(
            text.contains("keyCompromise (http://ca.example/ca.crl)"),
            "{text}"
        );
    }
}
