//! The evidence of a node for people: exchanges found, proved and taken away as containers, by pages, as
//! programs do, and from the command line beside the node. An operator sees what the organisations of
//! this node took part in, one of a tenant's own what that tenant did. Never a body but by `body`, with a
//! purpose and a trace; and of a path only the template that the agreement names.
//!
//! | module | holds |
//! |---|---|
//! | [`mod@search`] | what is looked for |
//! | `list`, `one` | the pages and their twins |
//! | `proof`, `checks` | what an auditor can follow of one exchange |
//! | `checkpoint`, `consistency` | what the node has signed of its log, and that nothing was rewritten since |
//! | `body` | a body that an agreement has kept |
//! | `over_there` | the other node's word on the same exchange |
//! | `shelf`, [`beside`] | messages and containers out of rows and log; the same beside a node |

pub mod beside;
pub(crate) mod body;
mod checkpoint;
mod checks;
mod consistency;
pub(crate) mod list;
mod one;
pub(crate) mod over_there;
mod proof;
pub mod search;
pub(crate) mod shelf;

use kernel::{OrgCode, Problem};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web::Principal;

use crate::gateway::Exchange;
use crate::index::Indexed;

pub use beside::{Beside, Containers, Stamped};
pub use search::{EvidenceFound, Outcome, Search, Wanted};

/// The page of the search; below it each exchange has its own.
const PAGE: &str = "/exchange/evidence";

/// The operations on evidence.
pub(crate) fn router() -> OpenApiRouter<Exchange> {
    OpenApiRouter::new()
        .routes(routes!(list::page))
        .routes(routes!(list::json))
        .routes(routes!(one::page))
        .routes(routes!(one::json))
        .routes(routes!(checkpoint::json))
        .routes(routes!(consistency::json))
        .routes(routes!(body::page))
        .routes(routes!(body::json))
}

impl Exchange {
    /// Whose records an operator may see: none named for one of the node's home organisation, who
    /// looks after the whole node; a tenant's own operator sees that tenant's.
    pub(crate) fn seen_by(&self, who: &Principal) -> Option<OrgCode> {
        (who.tenant.top() != self.0.home.top()).then(|| who.tenant.top())
    }

    /// The sides of an exchange that an operator may see.
    ///
    /// # Errors
    /// 404 when there are none: whoever may not see an exchange is not told that it is there.
    pub(crate) async fn sides(&self, who: &Principal, request: &str) -> Result<Vec<Indexed>, Problem> {
        let mut sides = self.find(request).await?;
        // `consumer`, then `provider`: in the order in which it went, whichever tenant is read first.
        sides.sort_by_key(|side| side.side);
        if let Some(own) = self.seen_by(who) {
            sides.retain(|side| side.own == own.as_str());
        }
        if sides.is_empty() {
            return Err(Problem::not_found());
        }
        Ok(sides)
    }
}

/// The link to an exchange's page.
pub(crate) fn link(request: &str) -> String {
    // The other side gave the id: a slash in it is a part of the id, not of the path.
    format!("{PAGE}/{}", segment(request))
}

/// A text as one segment of a path.
fn segment(text: &str) -> String {
    web::page::query_value(text).replace('/', "%2F")
}

/// An id as it may stand in the name of a file: everything but letters, digits and `-._` is
/// percent-encoded, and no name begins with a dot.
#[must_use]
pub fn file_safe(id: &str) -> String {
    let mut name = String::with_capacity(id.len());
    for byte in id.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        if plain && !(name.is_empty() && byte == b'.') {
            name.push(char::from(byte));
        } else {
            name.push_str(&format!("%{byte:02X}"));
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_id_of_a_message_names_another_folder() {
        assert_eq!(file_safe("../việc 1/2\""), "%2E.%2Fvi%E1%BB%87c%201%2F2%22");
        assert_eq!(link("a/b"), "/exchange/evidence/a%2Fb");
    }
}
