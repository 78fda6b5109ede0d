//! `GET /verificationconf`: what a verifier of signed containers needs of this exchange, packed as X-Road
//! packs it: who takes part, the roots of all certificates, the timestamp authorities; and the directory
//! as the hub signed it, which also says what is revoked. Asks for no client: all of it is public.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use directory::{Directory, Snapshot};
use kernel::{OrgCode, Problem, Time};
use seal::certificate::Certificate;
use serde_json::json;
use web::page::escape;

use super::asic::{archive, file};
use super::{Face, Form, fault};
use crate::gateway::Exchange;
use crate::ids::CLASS;
use crate::index::Indexed;

/// How long what was downloaded may be used before it is downloaded again, in milliseconds.
const GOOD_MS: i64 = 86_400_000;
/// The version of X-Road's shared parameters whose form this is.
const VERSION: &str = "5";
/// The age in seconds that X-Road allows a word on revocation to have: as old as the signed directory may be
/// before a node says so.
const REVOCATION_SECONDS: u64 = 3_600;

pub(super) async fn download(State(face): State<Face>) -> Response {
    match face.exchange.verification() {
        Ok(zip) => file("application/zip", "verificationconf.zip", zip),
        Err(problem) => fault::refused(&face.exchange, &problem, Form::Native),
    }
}

impl Exchange {
    fn verification(&self) -> Result<Vec<u8>, Problem> {
        let (home, until) = (&self.0.directory, self.0.now().plus_ms(GOOD_MS));
        let instance = home.instance().as_bytes().to_vec();
        let mut files = vec![("verificationconf/instance-identifier".to_owned(), instance)];
        files.extend(of_instance(home, until)?);
        // Each instance in a folder of its own: its roots are for its own members.
        for other in home.others().iter().filter(|other| other.is_known()) {
            files.extend(of_instance(&other.directory, until)?);
        }
        archive(files.into_iter()).map_err(Problem::internal)
    }

    /// Of exchanges with members of other instances: the directory, the roots and the hub's certificate of each
    /// instance, ours among them, in a folder of its own; nothing of exchanges within ours.
    pub(super) fn instances_of(&self, found: &[Indexed]) -> Vec<(String, Vec<u8>)> {
        let home = &self.0.directory;
        let instance_of = |id: &str| {
            let org: Option<OrgCode> = id.split('/').next().and_then(|code| code.parse().ok());
            org.map(|org| org.instance().to_owned())
        };
        let parties = found.iter().flat_map(|one| [&one.consumer, &one.service]);
        let mut others: BTreeSet<String> = parties.filter_map(|id| instance_of(id)).collect();
        others.remove(home.instance());
        if others.is_empty() {
            return Vec::new();
        }
        let mut files = said_by(home);
        // One that is trusted no more has nothing to say; its containers stay as they are.
        for other in home.others().iter().filter(|other| other.is_known()) {
            if others.contains(&other.entry.instance) {
                files.extend(said_by(&other.directory));
            }
        }
        files
    }
}

/// What one instance says of itself, each file below its name.
fn said_by(directory: &Directory) -> Vec<(String, Vec<u8>)> {
    let (snapshot, (token, _)) = (directory.snapshot(), directory.token());
    let path = |name: &str| format!("{}/{name}", snapshot.instance());
    let mut files = vec![
        (path("directory.jws"), token.as_bytes().to_vec()),
        (path("anchors.pem"), snapshot.anchors.concat().into_bytes()),
    ];
    if let Some(hub) = snapshot.members.iter().find(|m| m.org == snapshot.hub) {
        files.push((path("hub.pem"), hub.certificate_pem.clone().into_bytes()));
    }
    files
}

/// What a verifier needs of one instance.
fn of_instance(directory: &Directory, until: Time) -> Result<Vec<(String, Vec<u8>)>, Problem> {
    let (snapshot, (token, _)) = (directory.snapshot(), directory.token());
    let instance = snapshot.instance();
    let roots = certificates(&snapshot.anchors)?;
    let path = |name: &str| format!("verificationconf/{instance}/{name}");
    let mut files = vec![
        (
            path("shared-params.xml"),
            shared_params(&snapshot, &roots)?.into_bytes(),
        ),
        (
            path("shared-params.xml.metadata"),
            metadata(instance, until).into_bytes(),
        ),
        (path("anchors.pem"), snapshot.anchors.concat().into_bytes()),
    ];
    // One root a file, for tools that read only the first of a file.
    for root in &roots {
        let name = path(&format!("anchors/{}.pem", root.thumbprint().hex()));
        files.push((name, root.pem().into_bytes()));
    }
    if let Some(hub) = snapshot.members.iter().find(|m| m.org == snapshot.hub) {
        files.push((path("hub.pem"), hub.certificate_pem.clone().into_bytes()));
    }
    files.push((path("directory.jws"), token.as_bytes().to_vec()));
    Ok(files)
}

fn certificates(pems: &[String]) -> Result<Vec<Certificate>, Problem> {
    let read = |pem: &String| Certificate::from_pem(pem).map_err(Problem::internal);
    pems.iter().map(read).collect()
}

fn metadata(instance: &str, until: Time) -> String {
    json!({
        "contentIdentifier": "SHARED-PARAMETERS",
        "instanceIdentifier": instance,
        "contentFileName": null,
        "contentLocation": null,
        "expirationDate": until.rfc3339(),
        "configurationVersion": VERSION,
    })
    .to_string()
}

/// X-Road's shared parameters: the roots with the authorities between, the timestamp authorities, the
/// members with their systems, the nodes as security servers.
fn shared_params(snapshot: &Snapshot, roots: &[Certificate]) -> Result<String, Problem> {
    let instance = snapshot.instance();
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n\
         <ns3:conf xmlns:ns3=\"http://x-road.eu/xsd/xroad.xsd\">\n\
         <instanceIdentifier>{instance}</instanceIdentifier>\n"
    );
    xml.push_str(&source(snapshot)?);
    let between = issuers(snapshot, roots)?;
    for root in roots {
        xml.push_str(&authority(root, &between));
    }
    for stamper in &snapshot.timestamp_authorities {
        let certificate = Certificate::from_pem(&stamper.certificate_pem).map_err(Problem::internal)?;
        xml.push_str(&format!(
            "<approvedTSA><name>{}</name><url>{}</url><cert>{}</cert></approvedTSA>\n",
            escape(&certificate.common_name()),
            escape(&stamper.url),
            base64(&certificate)
        ));
    }
    let class = format!("<memberClass><code>{CLASS}</code><description>{CLASS}</description></memberClass>");
    xml.push_str(&taking_part(snapshot, &class));
    xml.push_str(&format!(
        "<globalSettings>{class}<ocspFreshnessSeconds>{REVOCATION_SECONDS}</ocspFreshnessSeconds>\
         </globalSettings>\n</ns3:conf>\n"
    ));
    Ok(xml)
}

fn base64(certificate: &Certificate) -> String {
    STANDARD.encode(certificate.der())
}

/// The hub, by whose certificate the directory is believed.
fn source(snapshot: &Snapshot) -> Result<String, Problem> {
    let Some(hub) = snapshot.members.iter().find(|m| m.org == snapshot.hub) else {
        return Ok(String::new());
    };
    let address = snapshot.nodes.iter().find(|node| node.id == hub.node);
    let mut all = Certificate::list_from_pem(&hub.certificate_pem).map_err(Problem::internal)?;
    all.truncate(1);
    let certificates = all.iter().map(|seal| {
        let text = base64(seal);
        format!("<internalVerificationCert>{text}</internalVerificationCert>")
    });
    Ok(format!(
        "<source><address>{}</address>{}</source>\n",
        escape(address.map_or("", |node| host(&node.peer))),
        certificates.collect::<String>()
    ))
}

/// The authorities between a root and the members' seals.
fn issuers(snapshot: &Snapshot, roots: &[Certificate]) -> Result<Vec<Certificate>, Problem> {
    let mut between: Vec<Certificate> = Vec::new();
    for member in &snapshot.members {
        let chain = Certificate::list_from_pem(&member.certificate_pem).map_err(Problem::internal)?;
        for issuer in chain.into_iter().skip(1) {
            if !between.contains(&issuer) && !roots.contains(&issuer) {
                between.push(issuer);
            }
        }
    }
    Ok(between)
}

fn authority(root: &Certificate, between: &[Certificate]) -> String {
    let one = |element: &str, certificate: &Certificate| {
        format!("<{element}><cert>{}</cert></{element}>", base64(certificate))
    };
    let below = between
        .iter()
        .filter(|issuer| issuer.is_issued_along(std::slice::from_ref(root)))
        .map(|issuer| one("intermediateCA", issuer));
    format!(
        "<approvedCA><name>{}</name>{}{}<certificateProfileInfo></certificateProfileInfo></approvedCA>\n",
        escape(&root.common_name()),
        one("topCA", root),
        below.collect::<String>()
    )
}

/// Members with their systems, then the nodes that host them.
fn taking_part(snapshot: &Snapshot, class: &str) -> String {
    let (mut members, mut hosted) = (String::new(), BTreeMap::<&str, (String, String)>::new());
    for (number, member) in snapshot.members.iter().enumerate() {
        let systems = snapshot.systems.iter().filter(|system| system.org == member.org);
        let (mut subsystems, node) = (String::new(), hosted.entry(&member.node).or_default());
        if node.0.is_empty() {
            node.0 = format!("m{number}");
        }
        for (place, system) in systems.enumerate() {
            subsystems.push_str(&format!(
                "<subsystem id=\"m{number}s{place}\"><subsystemCode>{}</subsystemCode></subsystem>",
                escape(&system.code)
            ));
            node.1.push_str(&format!("<client>m{number}s{place}</client>"));
        }
        members.push_str(&format!(
            "<member id=\"m{number}\">{class}<memberCode>{}</memberCode><name>{}</name>{subsystems}</member>\n",
            member.org.within(),
            escape(&member.name)
        ));
    }
    for (number, node) in snapshot.nodes.iter().enumerate() {
        // A node that hosts nobody has no owner, and X-Road knows no such server.
        let Some((owner, clients)) = hosted.get(node.id.as_str()) else {
            continue;
        };
        members.push_str(&format!(
            "<securityServer id=\"n{number}\"><owner>{owner}</owner><serverCode>{}</serverCode>\
             <address>{}</address><authCertHash>{}</authCertHash>{clients}</securityServer>\n",
            escape(&node.id),
            escape(host(&node.peer)),
            STANDARD.encode(node.certificate.bytes())
        ));
    }
    members
}

/// An address without its port.
fn host(address: &str) -> &str {
    address.rsplit_once(':').map_or(address, |(host, _)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_downloaded_says_until_when_it_is_good() {
        let until = Time::parse_rfc3339("2026-11-22T02:30:00Z").expect("a time");
        let told: serde_json::Value = serde_json::from_str(&metadata("VN", until)).expect("json");
        assert_eq!(told["contentIdentifier"], "SHARED-PARAMETERS");
        assert_eq!(told["expirationDate"], until.rfc3339());
        assert_eq!(host("localhost:8101"), "localhost");
        assert_eq!(host("[::1]:8101"), "[::1]");
    }
}
