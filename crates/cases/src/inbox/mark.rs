//! How many entries of their inbox the signed-in citizen has not read, beside its link in the header.

use async_trait::async_trait;
use web::Principal;
use web::shared::Mark;

use crate::state::{Cases, Place};
use crate::store::inbox;

/// Where the inbox is.
const HREF: &str = "/inbox";

/// Counts for the header of a portal.
#[derive(Clone, Debug)]
pub struct Unread(pub Cases);

#[async_trait]
impl Mark for Unread {
    fn href(&self) -> &'static str {
        HREF
    }

    async fn count(&self, user: &Principal) -> u64 {
        let cases = &self.0;
        if cases.place() != Place::Portal || user.tenant != cases.tenant || !user.has("citizen") {
            return 0;
        }
        let unread = match cases.store.read(&cases.tenant).await {
            Ok(reader) => inbox::unread(&reader, &user.account).await,
            Err(problem) => Err(problem),
        };
        unread.unwrap_or_else(|problem| {
            tracing::warn!(%problem, "what is unread is not counted");
            0
        })
    }
}
