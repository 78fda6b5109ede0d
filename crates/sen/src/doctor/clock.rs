//! This machine's time beside others': the `Date` of what answers over plain HTTP. Never sets a clock.

use std::collections::BTreeSet;

use web::axum::body::Bytes;
use web::{Client, http};

use super::{Finding, Round, keys};
use crate::backup::site::Site;

/// From here on a difference is worth a look, in milliseconds.
const SKEW_MS: i64 = 5_000;
/// Time for an answer, in milliseconds.
const ANSWER_MS: u64 = 3_000;
/// Size of an answer, in bytes; only its head is of interest.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Asks every timestamp authority that the directories name. Who does not answer says nothing of the
/// clock: what that means is told by the check of timestamps.
pub(super) async fn of_site(site: &Site, round: &Round) -> Option<Finding> {
    let mut urls = BTreeSet::new();
    for snapshot in site.nodes.iter().filter_map(|node| keys::directory(node).ok()) {
        urls.extend(snapshot.timestamp_authorities.into_iter().map(|a| a.url));
    }
    for url in urls {
        let Some(theirs) = date(&url).await else { continue };
        let skew = round.now.ms() - theirs;
        if skew.abs() > SKEW_MS {
            return Some(Finding {
                check: "clock",
                node: String::new(),
                what: format!(
                    "this machine is {} s {} {url}",
                    skew.abs() / 1_000,
                    if skew > 0 { "ahead of" } else { "behind" }
                ),
                why: "a message whose time differs by more than a minute from the other node's clock is refused",
                remedy: "set the clock by a time service (timedatectl set-ntp true)".to_owned(),
            });
        }
    }
    None
}

async fn date(url: &str) -> Option<i64> {
    let request = http::Request::get(url).body(Bytes::new()).ok()?;
    let answer = Client::plain()
        .send(request, ANSWER_MS, ANSWER_BYTES_MAX)
        .await
        .ok()?;
    of_http(answer.headers().get(http::header::DATE)?.to_str().ok()?)
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, IMF-fixdate) in milliseconds since 1970.
fn of_http(text: &str) -> Option<i64> {
    let form = time::macros::format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    let at = time::PrimitiveDateTime::parse(text, form).ok()?;
    Some(at.assume_utc().unix_timestamp() * 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_http_date_is_read() {
        assert_eq!(of_http("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777_000));
        assert_eq!(of_http("yesterday"), None);
    }
}
