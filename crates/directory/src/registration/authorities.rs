//! What the hub's operator says of authorities: which stand between a root and certificates, what each
//! vouches for, where it says what it has revoked. Never reads what is there: see [`crate::lists`].

use kernel::{Digest, Kind, Problem, Time};

use super::entries::{bad_certificate, known_root, no_entry, there};
use super::names;
use crate::authorities::{AUTHORITIES_MAX, AuthorityEntry, Use};
use crate::snapshot::Snapshot;

/// What is said of an authority.
pub(super) struct Said<'a> {
    pub(super) uses: &'a [Use],
    pub(super) crl: &'a str,
    pub(super) ocsp: &'a str,
    pub(super) note: &'a str,
}

pub(super) fn name_issuer(s: &mut Snapshot, pem: &str, now: Time) -> Result<(), Problem> {
    let bad = || bad_certificate("certificate");
    let new = names::certificate("certificate", pem)?;
    let thumbprint = new.thumbprint();
    if !new.is_authority() || new.not_after() <= now {
        return Err(bad());
    }
    if known_root(s, &thumbprint) || s.authority(&thumbprint).is_some() {
        return Err(there("certificate"));
    }
    let mut above = s.between();
    for pem in &s.anchors {
        above.push(names::certificate("certificate", pem)?);
    }
    let is_above = |one: &seal::Certificate| new.is_issued_along(std::slice::from_ref(one));
    if !above.iter().any(is_above) {
        return Err(bad().because("no trusted root or known authority issued it"));
    }
    push(
        s,
        AuthorityEntry {
            certificate_pem: Some(new.pem()),
            ..empty(thumbprint)
        },
    )
}

pub(super) fn withdraw_issuer(s: &mut Snapshot, thumbprint: &Digest) -> Result<(), Problem> {
    let before = s.authorities.len();
    s.authorities
        .retain(|a| a.certificate != *thumbprint || a.certificate_pem.is_none());
    (s.authorities.len() < before)
        .then_some(())
        .ok_or_else(|| no_entry("thumbprint"))
}

pub(super) fn describe(s: &mut Snapshot, thumbprint: &Digest, said: &Said<'_>) -> Result<(), Problem> {
    for (field, url) in [("crl", said.crl), ("ocsp", said.ocsp)] {
        if !url.is_empty() {
            names::url(field, url)?;
        }
    }
    if !said.note.is_empty() {
        names::name("note", said.note)?;
    }
    let known = s.authority(thumbprint).cloned();
    if known.is_none() && !known_root(s, thumbprint) {
        return Err(no_entry("thumbprint"));
    }
    let before = known.unwrap_or_else(|| empty(*thumbprint));
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let mut uses = said.uses.to_vec();
    uses.sort_unstable();
    uses.dedup();
    let crl = text(said.crl);
    let entry = AuthorityEntry {
        certificate: *thumbprint,
        certificate_pem: before.certificate_pem.clone(),
        uses,
        ocsp: text(said.ocsp),
        note: said.note.to_owned(),
        // Of another address nothing was read yet.
        list: before.list.clone().filter(|_| crl == before.crl),
        crl,
    };
    if entry == before {
        return Err(there("thumbprint"));
    }
    s.authorities.retain(|a| a.certificate != *thumbprint);
    if entry != empty(*thumbprint) {
        push(s, entry)?;
    }
    s.check()
        .map_err(|e| Problem::new(Kind::Conflict, "directory-needed").because(e))
}

fn push(s: &mut Snapshot, entry: AuthorityEntry) -> Result<(), Problem> {
    if s.authorities.len() >= AUTHORITIES_MAX {
        return Err(
            Problem::invalid("certificate", "directory-authorities-many").with("max", AUTHORITIES_MAX)
        );
    }
    s.authorities.push(entry);
    s.authorities.sort_by_key(|a| a.certificate);
    Ok(())
}

const fn empty(certificate: Digest) -> AuthorityEntry {
    AuthorityEntry {
        certificate,
        certificate_pem: None,
        uses: Vec::new(),
        crl: None,
        ocsp: None,
        note: String::new(),
        list: None,
    }
}
