//! What stands above every page of a desk while somebody does not answer, and until everything that waited has gone.
//! Never a page of its own, and never a reason not to show one.

use async_trait::async_trait;
use web::Principal;
use web::auth::DESK_ROLES;
use web::shared::{Banner, BannerText};

use super::page::{HREF, names};
use super::{Line, Stands, counted};
use crate::state::{Cases, Place};

/// The pages of a desk.
const ABOVE: &str = "/desk";

/// The banner of a desk's pages.
#[derive(Clone, Debug)]
pub struct CutOff(pub Cases);

#[async_trait]
impl Banner for CutOff {
    fn above(&self) -> &'static str {
        ABOVE
    }

    async fn told(&self, user: &Principal) -> Option<BannerText> {
        let cases = &self.0;
        let works_here = user.tenant == cases.tenant && DESK_ROLES.iter().any(|role| user.has(role));
        if cases.place() != Place::Desk || !works_here {
            return None;
        }
        match cases.line().await {
            Ok(line) => told(cases, &line),
            Err(problem) => {
                tracing::warn!(%problem, "how the line stands is not told");
                None
            }
        }
    }
}

fn told(cases: &Cases, line: &Line) -> Option<BannerText> {
    let count = ("count", counted(line.lines()));
    let (key, args, since) = match line.stands() {
        Stands::Whole => return None,
        Stands::Cut(since) => {
            let all = line.away.iter().flat_map(|away| &away.members);
            ("desk-line-cut", vec![("names", names(cases, all)), count], since)
        }
        Stands::Behind(since) => ("desk-line-behind", vec![count], since),
    };
    Some(BannerText {
        key,
        args,
        since: Some(since),
        more: (HREF, "desk-line-more"),
    })
}
