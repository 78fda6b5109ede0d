//! The rules between the parts of a pack: an agreement shares what a register offers, a procedure asks
//! for what an agreement grants, an act has what its register needs. Never a rule of one part.

use cases::pack::ProcedureFile;
use directory::pack::Known;
use exchange::ServiceId;
use exchange::pack::AgreementFile;
use kernel::fault::{Faults, Names};
use registers::pack::SchemaFile;
use registers::schema::{Field, Schema, Work};

use crate::up::nation::{PLACES, Place};

/// Checks the parts against each other.
pub(crate) fn check(
    known: &Known,
    registers: &[SchemaFile],
    agreements: &[AgreementFile],
    procedures: &[ProcedureFile],
    faults: &mut Faults,
) {
    let parts = Parts {
        registers,
        agreements,
    };
    for file in agreements {
        parts.agreement(file, known, faults);
    }
    for file in registers {
        if !known.organisations.has(&file.schema.tenant) {
            let names = named(file.schema.tenant.as_str());
            faults.add(file.places.fault("/tenant", "organisation-unknown", names));
        }
        parts.obtained(file, faults);
    }
    for read in procedures {
        parts.prefill(read, faults);
        parts.act(read, faults);
    }
}

fn named(value: &str) -> Names {
    vec![("value", value.to_owned())]
}

struct Parts<'a> {
    registers: &'a [SchemaFile],
    agreements: &'a [AgreementFile],
}

impl Parts<'_> {
    /// The register that offers a service, and what the service does.
    fn offered(&self, service: &ServiceId) -> Option<(&Schema, &Work)> {
        let all = self.registers.iter().flat_map(|file| {
            let schema = &file.schema;
            schema.services.iter().map(move |offer| (schema, offer))
        });
        all.filter(|(schema, offer)| schema.service_id(&offer.code) == *service)
            .map(|(schema, offer)| (schema, &offer.work))
            .next()
    }

    /// True for a service that a register offers, or a part of the platform that keeps no register.
    fn there(&self, service: &ServiceId) -> bool {
        let kept = |org: &str, system: &str| {
            let of = |f: &SchemaFile| f.schema.tenant.as_str() == org && f.schema.system == system;
            self.registers.iter().any(of)
        };
        let mut platform = PLACES.into_iter().flat_map(Place::systems);
        self.offered(service).is_some()
            || platform.any(|(org, system, services)| {
                service.org.as_str() == *org
                    && service.system == *system
                    && services.contains(&service.service.as_str())
                    && !kept(org, system)
            })
    }

    /// True when some agreement shares a service.
    fn agreed(&self, service: &ServiceId) -> bool {
        let mut all = self.agreements.iter().flat_map(|file| &file.agreements);
        all.any(|agreement| agreement.service == *service)
    }

    fn agreement(&self, file: &AgreementFile, known: &Known, faults: &mut Faults) {
        for (at, agreement) in file.agreements.iter().enumerate() {
            for (pointer, org) in [
                ("/provider", &agreement.provider),
                ("/consumer", &agreement.consumer.org),
            ] {
                if !known.organisations.has(org) {
                    let names = named(org.as_str());
                    faults.add(file.places.fault(pointer, "organisation-unknown", names));
                }
            }
            let pointer = format!("/services/{at}");
            if !self.there(&agreement.service) {
                let names = named(&agreement.service.to_string());
                let pointer = format!("{pointer}/service");
                faults.add(file.places.fault(&pointer, "service-unknown", names));
            }
            let Some((schema, _)) = self.offered(&agreement.service) else {
                continue;
            };
            for (n, field) in agreement.fields.iter().enumerate() {
                if schema.field(field).is_none() {
                    let pointer = format!("{pointer}/fields/{n}");
                    let names = vec![("value", field.clone()), ("register", schema.code.clone())];
                    faults.add(file.places.fault(&pointer, "field-not-offered", names));
                }
            }
        }
    }

    /// What a register obtains from another is offered and agreed.
    fn obtained(&self, file: &SchemaFile, faults: &mut Faults) {
        for (at, offer) in file.schema.services.iter().enumerate() {
            let Work::Enter { obtain, .. } = &offer.work else {
                continue;
            };
            for (key, service) in [("from", &obtain.from), ("undo", &obtain.undo)] {
                let pointer = format!("/services/{at}/obtain/{key}");
                let rule = match (self.there(service), self.agreed(service)) {
                    (false, _) => "service-unknown",
                    (true, false) => "service-not-agreed",
                    (true, true) => continue,
                };
                faults.add(file.places.fault(&pointer, rule, named(&service.to_string())));
            }
        }
    }

    /// A service that a procedure names: a fault unless it is there and agreed.
    fn service(
        &self,
        read: &ProcedureFile,
        pointer: &str,
        text: &str,
        faults: &mut Faults,
    ) -> Option<ServiceId> {
        let rule = match text.parse::<ServiceId>() {
            Err(_) => "service-id",
            Ok(service) if !self.there(&service) => "service-unknown",
            Ok(service) if !self.agreed(&service) => "service-not-agreed",
            Ok(service) => return Some(service),
        };
        faults.add(read.places.fault(pointer, rule, named(text)));
        None
    }

    fn prefill(&self, read: &ProcedureFile, faults: &mut Faults) {
        for (at, prefill) in read.procedure.prefill.iter().enumerate() {
            let pointer = format!("/prefill/{at}");
            let service = self.service(read, &format!("{pointer}/service"), &prefill.service, faults);
            let Some(service) = service else { continue };
            let Some((schema, work)) = self.offered(&service) else {
                continue;
            };
            for key in prefill.key.keys() {
                if !asked_by(work).contains(&key.as_str()) {
                    let pointer = format!("{pointer}/key/{key}");
                    faults.add(read.places.fault(&pointer, "prefill-not-by", named(key)));
                }
            }
            let granted = |field: &str| {
                let first = field.split('.').next().unwrap_or(field);
                let all = self.agreements.iter().flat_map(|file| &file.agreements);
                let mut of_service = all.filter(|a| a.service == service);
                of_service.any(|a| a.fields.iter().any(|f| f == field || f == first))
            };
            for (ours, theirs) in &prefill.fills {
                let rule = match schema.field(theirs) {
                    None => "field-not-in-register",
                    Some(_) if !granted(theirs) => "field-not-granted",
                    Some(_) => continue,
                };
                let pointer = format!("{pointer}/fills/{ours}");
                let names = vec![("value", theirs.clone()), ("register", schema.code.clone())];
                faults.add(read.places.fault(&pointer, rule, names));
            }
        }
    }

    fn act(&self, read: &ProcedureFile, faults: &mut Faults) {
        let follow_ups = read.procedure.follow_ups.iter().enumerate();
        for (at, follow_up) in follow_ups {
            let pointer = format!("/follow_ups/{at}/service");
            self.service(read, &pointer, &follow_up.service, faults);
        }
        let Some(act) = &read.procedure.act else { return };
        if let Some(undo) = &act.undo {
            self.service(read, "/act/undo", undo, faults);
        }
        let Some(service) = self.service(read, "/act/service", &act.service, faults) else {
            return;
        };
        let Some((schema, work)) = self.offered(&service) else {
            return;
        };
        let by = matches!(work, Work::Lookup { .. }).then(|| asked_by(work));
        for part in act.body.keys() {
            let rule = match schema.field(part) {
                None => "field-not-in-register",
                Some(_) if by.as_ref().is_some_and(|by| !by.contains(&part.as_str())) => "prefill-not-by",
                Some(field) if by.is_none() && field.assigned => "field-assigned",
                Some(_) => continue,
            };
            let names = vec![("value", part.clone()), ("register", schema.code.clone())];
            faults.add(read.places.fault(&format!("/act/body/{part}"), rule, names));
        }
        if by.is_some() {
            return;
        }
        let given: Vec<&str> = act.body.keys().map(String::as_str).collect();
        needed(&schema.fields, "", &given, &mut |part| {
            let names = vec![("value", part.to_owned()), ("register", schema.code.clone())];
            faults.add(read.places.fault("/act/body", "act-lacks-field", names));
        });
    }
}

/// The fields that a lookup can be asked with: those it finds a record by, and that of who asks.
fn asked_by(work: &Work) -> Vec<&str> {
    let Work::Lookup { by, whole_for } = work else {
        return Vec::new();
    };
    let asker = whole_for.iter().map(|whole| whole.field.as_str());
    by.iter().map(String::as_str).chain(asker).collect()
}

/// The required fields that a body does not give; an object that is not required may be left out whole.
fn needed(fields: &[Field], above: &str, given: &[&str], lacks: &mut dyn FnMut(&str)) {
    for field in fields {
        let path = format!("{above}{}", field.name);
        let inside = format!("{path}.");
        let has = given.iter().any(|g| **g == path || g.starts_with(&inside));
        if field.required && !field.assigned && !has {
            lacks(&path);
        }
        if has {
            needed(&field.fields, &inside, given, lacks);
        }
    }
}
