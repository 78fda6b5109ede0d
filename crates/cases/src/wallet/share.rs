//! `POST /wallet/{entry}/shares`, `POST …/shares/{share}/end` and their twins: a link with a code and an end, and its end
//! before that. Link and code are shown once: their digests are kept.

use askama::Template;
use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use kernel::{Fact, Problem};
use serde::{Deserialize, Serialize};
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Page, Refusal};

use super::view::WalletShareJson;
use super::{OwnEntry, Share, belongs_on_page, open, store, subject};
use crate::citizen::render;
use crate::contact::change::new_code;
use crate::state::Cases;

/// A day, in milliseconds.
const DAY_MS: i64 = 86_400_000;

#[derive(Template)]
#[template(path = "wallet_share.html")]
struct SharePage<'a> {
    page: &'a Page,
    id: &'a str,
    title: &'a str,
    link: &'a str,
    code: &'a str,
    until: String,
    tries: u32,
}

/// A link to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WalletShareWish {
    /// For how many days.
    #[schema(example = 7)]
    days: u32,
}

/// A link that was made; neither it nor its code is told again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WalletShareMade {
    /// The link.
    link: String,
    /// Its code, six digits: to be told by another way than the link.
    code: String,
    /// How it stands.
    share: WalletShareJson,
}

/// What was made, with its secrets.
struct Made {
    share: Share,
    link: String,
    code: String,
}

/// Makes a link to a document of mine.
#[utoipa::path(post, path = "/wallet/{entry}/shares", tag = "cases", security(("session" = ["citizen"])),
    params(("entry" = String, Path, description = "the document")),
    request_body(content = WalletShareWish, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "the link and its code, once", content_type = "text/html"), (status = 404),
              (status = 422, description = "no such number of days, or too many links", content_type = "text/html")),
    extensions(("x-facts" = json!(["wallet-shared"]))))]
pub(crate) async fn by_form(own: OwnEntry, page: Page, fields: Fields) -> Result<Response, Refusal> {
    let days = fields
        .text("days")
        .and_then(|days| days.parse().ok())
        .unwrap_or(0);
    let made = match make(&own, days).await {
        Ok(made) => made,
        Err(problem) if belongs_on_page(&problem) => {
            let body = open::body(&own, &page, &[problem]).await?;
            return Ok(page.html_status(422, &own.entry.title, body));
        }
        Err(problem) => return Err(problem.into()),
    };
    let body = render(&SharePage {
        page: &page,
        id: &own.entry.id,
        title: &own.entry.title,
        link: &made.link,
        code: &made.code,
        until: page.time(made.share.until),
        tries: own.cases.store.limits().wallet_share_tries_max,
    })?;
    Ok(page.html(&page.t("wallet-share-made"), body).into_response())
}

/// Makes a link to a document of mine.
#[utoipa::path(post, path = "/api/v1/wallet/{entry}/shares", tag = "cases", security(("session" = ["citizen"])),
    params(("entry" = String, Path, description = "the document")), request_body = WalletShareWish,
    responses((status = 200, description = "the link and its code, once", body = WalletShareMade), (status = 401), (status = 404),
              (status = 422)),
    extensions(("x-facts" = json!(["wallet-shared"]))))]
pub(crate) async fn by_json(
    own: OwnEntry,
    Json(wish): Json<WalletShareWish>,
) -> Result<Json<WalletShareMade>, Refusal> {
    let made = make(&own, wish.days).await?;
    let stands = (
        made.share.made_at,
        own.cases.store.limits().wallet_share_tries_max,
    );
    Ok(Json(WalletShareMade {
        share: WalletShareJson::new(&made.share, stands),
        link: made.link,
        code: made.code,
    }))
}

/// Ends a link to a document of mine.
#[utoipa::path(post, path = "/wallet/{entry}/shares/{share}/end", tag = "cases", security(("session" = ["citizen"])),
    params(("entry" = String, Path, description = "the document"), ("share" = String, Path, description = "the link")),
    responses((status = 303, description = "to the document"), (status = 404)),
    extensions(("x-facts" = json!(["wallet-share-ended"]))))]
pub(crate) async fn end_by_form(
    own: OwnEntry,
    Path((_entry, share)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    end(&own, &share).await?;
    Ok(Redirect::to(&format!("/wallet/{}#shares", own.entry.id)).into_response())
}

/// Ends a link to a document of mine.
#[utoipa::path(post, path = "/api/v1/wallet/{entry}/shares/{share}/end", tag = "cases", security(("session" = ["citizen"])),
    params(("entry" = String, Path, description = "the document"), ("share" = String, Path, description = "the link")),
    responses((status = 200, description = "the links", body = Vec<WalletShareJson>), (status = 401), (status = 404)),
    extensions(("x-facts" = json!(["wallet-share-ended"]))))]
pub(crate) async fn end_by_json(
    own: OwnEntry,
    Path((_entry, share)): Path<(String, String)>,
) -> Result<Json<Vec<WalletShareJson>>, Refusal> {
    end(&own, &share).await?;
    let (cases, limits) = (&own.cases, own.cases.store.limits());
    let reader = cases.store.read(&cases.tenant).await?;
    let shares = store::shares(
        &reader,
        &own.citizen.who.account,
        &own.entry.id,
        limits.page_rows_max,
    )
    .await?;
    let stands = (cases.store.world().now(), limits.wallet_share_tries_max);
    let json = |share: &Share| WalletShareJson::new(share, stands);
    Ok(Json(shares.iter().map(json).collect()))
}

async fn make(own: &OwnEntry, days: u32) -> Result<Made, Problem> {
    let OwnEntry {
        cases,
        citizen,
        entry,
    } = own;
    let limits = cases.store.limits();
    let days_max = limits.wallet_share_days_max;
    if !(1..=days_max).contains(&days) {
        return Err(Problem::invalid("days", "wallet-share-days").with("max", days_max));
    }
    let world = cases.store.world();
    let (token, code, now) = (world.secret(), new_code(cases), world.now());
    let share = &Share {
        id: world.id(),
        account: citizen.who.account.clone(),
        entry: entry.id.clone(),
        token: cases.share_digest("token", &token),
        code: cases.share_digest(&token, &code),
        made_at: now,
        until: now.plus_ms(i64::from(days) * DAY_MS),
        ended_at: None,
        tries: 0,
    };
    let max = limits.wallet_shares_max;
    cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            // The document may have been removed meanwhile.
            let there = store::entry(&tx, &share.account, &share.entry).await?;
            there.ok_or_else(Problem::not_found)?;
            if store::open_shares(&tx, &share.account, now).await? >= max {
                return Err(Problem::invalid("days", "wallet-shares-many").with("max", max));
            }
            store::insert_share(&tx, share).await?;
            let fact = Fact::WalletShared {
                entry: share.entry.clone(),
                share: share.id.clone(),
                until: share.until,
            };
            tx.fact(&subject(&share.account), fact).await?;
            Ok(())
        })
        .await?;
    Ok(Made {
        share: share.clone(),
        link: format!("{}/shared/{token}", cases.base_url),
        code,
    })
}

async fn end(own: &OwnEntry, share: &str) -> Result<(), Problem> {
    let OwnEntry {
        cases,
        citizen,
        entry,
    } = own;
    let (account, id) = (&citizen.who.account, &entry.id);
    let limits = cases.store.limits();
    cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            if store::end_share(&tx, (account, id), share).await? {
                let fact = Fact::WalletShareEnded {
                    entry: id.clone(),
                    share: share.to_owned(),
                };
                tx.fact(&subject(account), fact).await?;
                return Ok(());
            }
            // Ended before: nothing more to do. Not theirs: there is none.
            let all = store::shares(&tx, account, id, limits.page_rows_max).await?;
            match all.iter().any(|one| one.id == share) {
                true => Ok(()),
                false => Err(Problem::not_found()),
            }
        })
        .await
}

impl Cases {
    /// What a link or its code is kept as: whoever reads the row can use neither.
    pub(super) fn share_digest(&self, of: &str, text: &str) -> kernel::Digest {
        self.store
            .digest(&self.tenant, &format!("wallet/share/{of}/{text}"))
    }
}
