//! What a node is told before it is put together. Never read from a file here: `up` and `serve` say.

use std::path::PathBuf;
use std::sync::Arc;

use directory::keyring::Keyring;
use exchange::{CodeStyle, Connection, Grounds, SystemId};
use identity::{Mode, Provider};
use kernel::OrgCode;
use kernel::limits::Limits;
use seal::certificate::Certificate;
use store::Database;
use web::shared::NodeFace;

use crate::backup::site::NodeAt;
use crate::config::{Archive, Jobs};

/// Everything a node is told.
pub struct Plan {
    /// Its id in the directory.
    pub id: String,
    /// The organisations it hosts; the first holds the node's own rows, accounts and sessions.
    pub tenants: Vec<OrgCode>,
    /// Where its logs, files, agreements and directory are kept.
    pub folder: PathBuf,
    /// Where its rows are kept.
    pub database: Database,
    /// The pack of the country.
    pub pack: PathBuf,
    /// The bounds in force.
    pub limits: Limits,
    /// How often the platform's own jobs run.
    pub jobs: Jobs,
    /// Where the node archives its evidence by itself each day; `None` when it does not.
    pub archive: Option<(Archive, NodeAt)>,
    /// How X-Road's error codes are written at its information-system face.
    pub error_code_style: CodeStyle,
    /// How information systems connect to that face.
    pub systems: Connection,
    /// How people reach it, without a slash at the end.
    pub base_url: String,
    /// Its keys.
    pub keyring: Arc<Keyring>,
    /// Whose signature the directory must bear.
    pub hub_certificate: Certificate,
    /// True at the one node that publishes the directory.
    pub is_hub: bool,
    /// Where the directory is asked for; `None` where it is published.
    pub hub_url: Option<String>,
    /// Roots trusted for other nodes besides those that the directory names.
    pub anchors: Vec<Certificate>,
    /// How people sign in.
    pub sign_in: SignIn,
    /// Where people's cases are: a portal, a desk, both or none, each with its name on the exchange.
    pub cases: Vec<(cases::Place, SystemId)>,
    /// What the evidence of its exchange rests on; the default but for measurements.
    pub grounds: Grounds,
    /// The bank at which fees of the portal's cases are paid.
    pub bank: Option<Arc<dyn cases::payment::Bank>>,
    /// Who carries notices to citizens by e-mail and SMS.
    pub messengers: cases::telling::Messengers,
    /// Its title and links.
    pub face: NodeFace,
    /// Where `/` leads.
    pub home: &'static str,
    /// What to do when the database cannot be opened.
    pub database_remedy: String,
}

/// How people sign in at a node.
#[derive(Clone)]
pub struct SignIn {
    /// By password here, or at another node.
    pub mode: Mode,
    /// Set where people of other nodes sign in.
    pub provider: Option<Provider>,
    /// Cookies go over TLS only.
    pub secure: bool,
}
