//! Signed containers for those who took part: by the exchange's id, or as X-Road's download names
//! them, by the id of the message and the client. Never one without its timestamp in X-Road's form.

use std::collections::HashSet;
use std::io::{Cursor, Write as _};

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use kernel::{Kind, Problem};
use zip::write::SimpleFileOptions;

use super::{Connection, Face, Form, fault};
use crate::evidence::{body, file_safe};
use crate::export::Which;
use crate::gateway::{Exchange, STREAM};
use crate::ids::{ServiceId, SystemId};
use crate::index::{Indexed, Look};
use crate::store as rows;

/// Sides of exchanges that one message id may stand for, count; more are not packed.
const SIDES_MAX: usize = 100;

/// What a container is asked for with.
#[derive(serde::Deserialize)]
pub(super) struct Beside {
    /// With the body, where it is kept: what it is read for.
    purpose: Option<String>,
}

/// The container of a request, or of its answer under the request's id with `-answer`; with the kept body
/// for a system that took part, is known by its certificate, and says what for.
pub(super) async fn container(
    State(face): State<Face>,
    Path(name): Path<String>,
    Query(beside): Query<Beside>,
    asked: Parts,
) -> Response {
    let (request, which) = match name.strip_suffix("-answer") {
        Some(request) => (request, Which::Answer),
        None => (name.as_str(), Which::Request),
    };
    let found = async {
        parties(&face, request, &asked).await?;
        match &beside.purpose {
            Some(said) => with_body(&face, request, which, said, &asked).await,
            None => face.exchange.container(request, which).await,
        }
    };
    match found.await {
        // Only an id of ours was found, so that it can stand in a header.
        Ok(zip) => file(seal::asice::MIME_TYPE, &format!("{request}.asice"), zip),
        Err(problem) => fault::refused(&face.exchange, &problem, Form::Native),
    }
}

/// Who asks took part in the exchange, as far as this face asks who that is.
async fn parties(face: &Face, request: &str, asked: &Parts) -> Result<(), Problem> {
    if face.connection != Connection::Mutual {
        return Ok(());
    }
    let mut systems: Vec<SystemId> = Vec::new();
    for side in face.exchange.find(request).await? {
        systems.extend(side.consumer.parse().ok());
        systems.extend(
            side.service
                .parse()
                .ok()
                .map(|service: ServiceId| service.provider()),
        );
    }
    face.admit(&systems, &asked.extensions)
}

/// The container with its body, which nobody gets whose system is not known.
async fn with_body(
    face: &Face,
    request: &str,
    which: Which,
    said: &str,
    asked: &Parts,
) -> Result<Vec<u8>, Problem> {
    let purpose = body::purpose(Some(said))?;
    if face.connection == Connection::Mutual {
        for side in face.exchange.find(request).await? {
            let provider = side.service.parse().map(|service: ServiceId| service.provider());
            let systems: [Option<SystemId>; 2] = [side.consumer.parse().ok(), provider.ok()];
            let own = systems.into_iter().flatten();
            for system in own.filter(|system| system.org.top().as_str() == side.own) {
                if face
                    .admit(std::slice::from_ref(&system), &asked.extensions)
                    .is_ok()
                {
                    let exchange = &face.exchange;
                    return exchange
                        .container_for_system(&system, &side, which, &purpose)
                        .await;
                }
            }
        }
    }
    Err(Problem::new(Kind::Forbidden, "body-caller-unknown"))
}

/// What a download asks for.
#[derive(Debug, PartialEq)]
struct Wanted {
    message: String,
    client: SystemId,
    which: Vec<Which>,
    unique: bool,
    force: bool,
}

/// Why there is no download: the status, and the words X-Road uses.
type Told = (StatusCode, String);

/// `GET /asic?queryId&xRoadInstance&memberClass&memberCode&subsystemCode[&requestOnly|responseOnly]
/// [&unique][&force]`.
pub(super) async fn download(
    State(face): State<Face>,
    Query(said): Query<Vec<(String, String)>>,
    asked: Parts,
) -> Response {
    let answered = async {
        let wanted = read(&said)?;
        face.admit(std::slice::from_ref(&wanted.client), &asked.extensions)
            .map_err(|e| refused(&e))?;
        let found = face.exchange.stamped(&wanted).await?;
        face.exchange.pack(&wanted, &found).await
    };
    answered.await.unwrap_or_else(|(status, words): Told| {
        let media = [(CONTENT_TYPE, "text/plain;charset=utf-8")];
        (status, media, words).into_response()
    })
}

fn read(said: &[(String, String)]) -> Result<Wanted, Told> {
    let bad = |words: &str| (StatusCode::BAD_REQUEST, words.to_owned());
    let has = |name: &str| said.iter().any(|(n, _)| n == name);
    let need = |name: &str| {
        let mut values = said
            .iter()
            .filter(|(n, _)| n == name)
            .map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (Some(value), None) if !value.is_empty() => Ok(value),
            _ => Err(bad(&format!("The parameter '{name}' is needed once"))),
        }
    };
    let (message, instance, class) = (need("queryId")?, need("xRoadInstance")?, need("memberClass")?);
    let (member, system) = (need("memberCode")?, need("subsystemCode")?);
    let which = match (has("requestOnly"), has("responseOnly")) {
        (true, true) => return Err(bad("Only one of 'requestOnly' and 'responseOnly' may be given")),
        (true, false) => vec![Which::Request],
        (false, true) => vec![Which::Answer],
        (false, false) => vec![Which::Request, Which::Answer],
    };
    let unique = has("unique");
    if unique && which.len() > 1 {
        return Err(bad("'unique' goes with 'requestOnly' or 'responseOnly'"));
    }
    // Well-formed or not: of a client nobody knows there are no documents.
    let known = SystemId::of_parts(instance, class, member, system).ok();
    Ok(Wanted {
        message: message.to_owned(),
        client: known.ok_or_else(none)?,
        which,
        unique,
        force: has("force"),
    })
}

fn none() -> Told {
    (StatusCode::NOT_FOUND, "No signed documents found".to_owned())
}

/// The caller's certificate is not the client's.
fn refused(problem: &Problem) -> Told {
    tracing::warn!(%problem, "a download of signed documents was refused");
    let words = "The client's registered TLS certificate is needed".to_owned();
    (StatusCode::UNAUTHORIZED, words)
}

/// They have left the live log: where they are.
fn archived(problem: &Problem) -> Told {
    let arg = |name: &str| {
        let found = problem.args.iter().find(|(key, _)| *key == name);
        found.map_or("", |(_, value)| value.as_str())
    };
    let words = format!(
        "The signed documents have left the live log at {} and are in the archive file {}",
        arg("since"),
        arg("file")
    );
    (StatusCode::NOT_FOUND, words)
}

/// Our fault, and the cause in the log.
fn broken(problem: &Problem) -> Told {
    if problem.kind == Kind::NotFound {
        return none();
    }
    tracing::error!(%problem, "a download of signed documents failed");
    (StatusCode::INTERNAL_SERVER_ERROR, "Internal error".to_owned())
}

impl Exchange {
    /// One side of each exchange that is meant; every one of them has its timestamp.
    async fn stamped(&self, wanted: &Wanted) -> Result<Vec<Indexed>, Told> {
        // What has just been answered can be fetched.
        self.index_up().await.map_err(|e| broken(&e))?;
        let reader = self.0.store.read(&self.0.home).await.map_err(|e| broken(&e))?;
        let look = Look::of(&reader, self.0.index.tail());
        let found = look.message(&wanted.message, SIDES_MAX).await;
        let found = found.map_err(|e| broken(&e))?;
        let client = wanted.client.to_string();
        let provider = format!("{client}/");
        let mut found: Vec<Indexed> = found
            .into_iter()
            .filter(|e| e.consumer == client || e.service.starts_with(&provider))
            .collect();
        let mut seen = HashSet::new();
        found.retain(|e| seen.insert(e.request.clone()));
        if found.is_empty() {
            return Err(none());
        }
        if self.all_stamped(&found).await.map_err(|e| broken(&e))? {
            return Ok(found);
        }
        let failed = |words: &str| (StatusCode::INTERNAL_SERVER_ERROR, words.to_owned());
        if !wanted.force {
            return Err(failed(if wanted.unique {
                "Message signature has not been timestamped yet!"
            } else {
                "Some message signatures have not been timestamped yet!"
            }));
        }
        let stamping = self.stamp_now().await;
        if let Err(problem) = &stamping {
            tracing::warn!(%problem, "no timestamp for a download that asked for one");
        }
        if stamping.is_ok() && self.all_stamped(&found).await.map_err(|e| broken(&e))? {
            Ok(found)
        } else {
            Err(failed("Failed to get timestamp from any time-stamping providers"))
        }
    }

    async fn all_stamped(&self, found: &[Indexed]) -> Result<bool, Problem> {
        let reader = self.0.store.read(&self.0.home).await?;
        for one in found {
            if rows::stamp_of(&reader, STREAM, one.position).await?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn pack(&self, wanted: &Wanted, found: &[Indexed]) -> Result<Response, Told> {
        let mut containers = Vec::new();
        for one in found {
            for which in &wanted.which {
                match self.container(&one.request, *which).await {
                    Ok(zip) => containers.push((*which, zip)),
                    Err(problem) if problem.code == "evidence-archived" => return Err(archived(&problem)),
                    // A gateway refused: there is no answer.
                    Err(problem) if problem.kind == Kind::NotFound => {}
                    Err(problem) => return Err(broken(&problem)),
                }
            }
        }
        let message = file_safe(&wanted.message);
        let file_name = |which: Which| {
            let word = if which == Which::Request {
                "request"
            } else {
                "response"
            };
            let chance = hex::encode(self.0.store.world().random::<5>());
            format!("{message}-{word}-{chance}.asice")
        };
        if wanted.unique {
            if containers.len() > 1 {
                let words = "More than one signed document was found".to_owned();
                return Err((StatusCode::BAD_REQUEST, words));
            }
            let (which, zip) = containers.pop().ok_or_else(none)?;
            return Ok(file(seal::asice::MIME_TYPE, &file_name(which), zip));
        }
        if containers.is_empty() {
            return Err(none());
        }
        let name = match wanted.which.as_slice() {
            [Which::Request] => format!("{message}-request.zip"),
            [Which::Answer] => format!("{message}-response.zip"),
            _ => format!("{message}.zip"),
        };
        let files = containers.into_iter().map(|(which, zip)| (file_name(which), zip));
        // Theirs were sealed under other roots than ours.
        let files = files.chain(self.instances_of(found));
        let zip = archive(files).map_err(|e| broken(&Problem::internal(e)))?;
        Ok(file("application/zip", &name, zip))
    }
}

pub(super) fn archive(files: impl Iterator<Item = (String, Vec<u8>)>) -> zip::result::ZipResult<Vec<u8>> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    // Containers are compressed themselves.
    let options = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::default());
    for (name, bytes) in files {
        writer.start_file(name, options)?;
        writer.write_all(&bytes)?;
    }
    Ok(writer.finish()?.into_inner())
}

pub(super) fn file(media: &str, name: &str, bytes: Vec<u8>) -> Response {
    let attachment = format!("attachment; filename=\"{name}\"");
    let headers = [
        (CONTENT_TYPE, media.to_owned()),
        (CONTENT_DISPOSITION, attachment),
    ];
    (headers, bytes).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(query: &str) -> Result<Wanted, u16> {
        let pairs: Vec<(String, String)> = query
            .split('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        read(&pairs).map_err(|(status, _)| status.as_u16())
    }

    #[test]
    fn a_download_names_its_message_and_its_client_and_which_documents() {
        let all = "queryId=q&xRoadInstance=VN&memberClass=GOV&memberCode=G22&subsystemCode=portal";
        let wanted = told(all).expect("read");
        assert_eq!(
            (wanted.which.len(), wanted.unique, wanted.force),
            (2, false, false)
        );
        let one = told(&format!("{all}&responseOnly&unique&force")).expect("read");
        assert_eq!(
            (one.which, one.unique, one.force),
            (vec![Which::Answer], true, true)
        );
        for (query, status) in [
            ("".to_owned(), 400),
            (all.replace("queryId=q", "queryId="), 400),
            (all.replace("&subsystemCode=portal", ""), 400),
            (format!("{all}&queryId=r"), 400),
            (format!("{all}&requestOnly&responseOnly"), 400),
            (format!("{all}&unique"), 400),
            (all.replace("G22", "g22"), 404),
        ] {
            assert_eq!(told(&query), Err(status), "{query}");
        }
    }
}
