//! The information-system face: an agency's own system calls services, in X-Road's form at `/r1/…` and
//! in ours at `/exchange/v1/call/…`, over plain HTTP, HTTPS, or mutual TLS with a certificate that is
//! registered for it ([`crate::callers`]). Never a page: programs call this face, and are told in the
//! form they asked in.
//!
//! | path | what |
//! |---|---|
//! | `/r1/VN/GOV/{org}/{system}/{service}[/path][?query]` | X-Road's REST message protocol; errors as X-Road's, or as problem+json when `Accept` names it |
//! | `/exchange/v1/call/{org}/{system}/{service}[/path][?query]` | the same call; errors as problem+json with the status they have |
//! | `/listClients` | who takes part |
//! | `/verificationconf` | what a verifier of signed containers needs |
//! | `/asic?queryId=…` | X-Road's download of signed containers |
//! | `/asic/{request}[-answer]` | one container by the exchange's id |

mod asic;
mod asked;
mod clients;
mod codes;
mod fault;
mod names;
mod told;
mod verification;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::ACCEPT;
use axum::http::{Extensions, HeaderMap, Method as HttpMethod};
use axum::response::Response;
use axum::routing::get;
use kernel::Problem;
use serde::{Deserialize, Serialize};

use crate::client::NotTold;
use crate::gateway::Exchange;
use crate::ids::SystemId;
use crate::refusals::About;

pub(crate) use names::identifier;

/// How X-Road's error codes are written: as its releases before 7.8 write them, or as 7.8 does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CodeStyle {
    /// `Server.ServerProxy.AccessDenied`.
    #[default]
    Camel,
    /// `server.serverproxy.access_denied`.
    Snake,
}

/// How information systems connect, or one of them has to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Connection {
    /// Plain HTTP: on the loopback or a closed network.
    #[default]
    Http,
    /// HTTPS with the node's certificate.
    Https,
    /// The same, and a caller shows a certificate that is registered for its system.
    Mutual,
}

/// What the routes need.
#[derive(Clone)]
struct Face {
    exchange: Exchange,
    style: CodeStyle,
    connection: Connection,
}

impl Face {
    /// Who is at the other end may ask for what concerns one of these systems; 404 without any. How a
    /// system of another node connects is not said here: beside one of this node it says nothing.
    fn admit(&self, systems: &[SystemId], extensions: &Extensions) -> Result<(), Problem> {
        let (callers, now) = (&self.exchange.0.callers, self.exchange.0.now());
        let peer = extensions.get::<web::Peer>();
        let mut admitted = match self.connection {
            Connection::Mutual => Err(Problem::not_found()),
            Connection::Http | Connection::Https => Ok(()),
        };
        let ours = |system: &&SystemId| self.exchange.voice(&system.org).is_ok();
        let any_of_ours = systems.len() > 1 && systems.iter().any(|system| ours(&system));
        for system in systems.iter().filter(|system| !any_of_ours || ours(system)) {
            admitted = callers.may_connect(system, self.connection, peer, now);
            if admitted.is_ok() {
                break;
            }
        }
        admitted
    }
}

/// In whose form a caller is told what went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// X-Road's: a code, 400 or 500, JSON or XML.
    XRoad(CodeStyle, fault::Syntax),
    /// Ours: problem+json with its own status.
    Native,
}

/// The path of a call in our form.
const NATIVE: &str = "/exchange/v1/call/";

impl Exchange {
    /// What information systems of this node's tenants call over plain HTTP.
    pub fn face_router(&self, style: CodeStyle) -> Router {
        self.systems_router(style, Connection::Http)
    }

    /// What information systems of this node's tenants call, each as it is said of it, else as
    /// `connection` says. A listener of TLS asks for certificates ([`web::tls::systems_config`]).
    pub fn systems_router(&self, style: CodeStyle, connection: Connection) -> Router {
        Router::new()
            .route("/listClients", get(clients::list))
            .route("/verificationconf", get(verification::download))
            .route("/asic", get(asic::download))
            .route("/asic/{request}", get(asic::container))
            .fallback(call)
            .with_state(Face {
                exchange: self.clone(),
                style,
                connection,
            })
    }
}

async fn call(State(face): State<Face>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let form = form(parts.uri.path(), &parts.headers, face.style);
    let mut about = About::default();
    let answered = async {
        let path = parts.uri.path();
        let service = match path.strip_prefix(NATIVE) {
            Some(service) => names::native(service)?,
            None => names::x_road(path)?,
        };
        let exchange = &face.exchange;
        about.service = Some(service.service.clone());
        let called = asked::read(exchange, service, &parts)?;
        about.consumer = Some(called.ask.consumer.clone());
        face.admit(std::slice::from_ref(&called.ask.consumer), &parts.extensions)?;
        told::ask(exchange, called, body, form).await
    };
    let answered: Result<Response, NotTold> = answered.await;
    answered.unwrap_or_else(|refused| {
        let id = face.exchange.note_call(&about, &refused);
        // A HEAD is answered without a body; hyper leaves it out.
        fault::of_call(&refused.problem, form, id)
    })
}

fn form(path: &str, headers: &HeaderMap, style: CodeStyle) -> Form {
    let accept = accept(headers);
    if names::is_x_road(path) && !accept.contains("application/problem+json") {
        Form::XRoad(style, fault::Syntax::of(&accept))
    } else {
        Form::Native
    }
}

/// All that a caller accepts, in small letters.
fn accept(headers: &HeaderMap) -> String {
    let values = headers.get_all(ACCEPT).iter().filter_map(|v| v.to_str().ok());
    values.collect::<Vec<_>>().join(",").to_ascii_lowercase()
}

/// The method as the exchange carries it.
fn method(method: &HttpMethod) -> Option<crate::rest::Method> {
    method.as_str().parse().ok()
}
