//! `GET /exchange/evidence/{request}/body` and its twin: the body of a message that an agreement has kept,
//! for an operator who says what for. Never without a fact that says who read it and why, and never bytes
//! that are not those of the signed digest.

use aws_lc_rs::digest::{Context, SHA256};
use axum::body::Body as Sent;
use axum::extract::{Path, Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt as _, stream};
use kernel::{Actor, Digest, Fact, Kind, OrgCode, Problem};
use serde::{Deserialize, Serialize};
use store::bodies::Body;
use utoipa::ToSchema;
use web::auth::OPERATOR;
use web::{Operator, Principal, Refusal};

use super::file_safe;
use super::shelf::Shelf;
use crate::envelope::{Evidence, Kept};
use crate::export::Which;
use crate::gateway::{Exchange, Gateway};
use crate::ids::SystemId;
use crate::index::Indexed;

/// Bytes of a body that a container holds: it is made in memory.
const CONTAINED_BYTES_MAX: usize = 64 << 20;
/// Bytes of a purpose.
const PURPOSE_BYTES_MAX: usize = 2_000;

/// Which body, and what for.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct BodyWanted {
    /// `request` (the default) or `answer`.
    part: Option<String>,
    /// What it is read for; stands in the fact of the reading, so no person is named in it.
    purpose: Option<String>,
}

/// What became of a message's body at one side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct EvidenceBody {
    /// `request` or `answer`.
    pub(crate) of: &'static str,
    /// `kept`, `destroyed`, or `digest` when only its digest ever was.
    pub(crate) state: &'static str,
    /// The instant from which it is gone, milliseconds since 1970.
    pub(crate) until: Option<i64>,
}

/// Reads the body of a message as JSON programs do.
#[utoipa::path(get, path = "/api/v1/exchange/evidence/{request}/body", tag = "exchange",
    operation_id = "read_evidence_body",
    params(("request" = String, Path, description = "the exchange's id"), BodyWanted),
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["body-read"]))),
    responses((status = 200, description = "the body", content_type = "application/octet-stream"),
              (status = 404), (status = 422)))]
pub(crate) async fn json(
    State(x): State<Exchange>,
    Operator(who): Operator,
    Path(request): Path<String>,
    Query(wanted): Query<BodyWanted>,
) -> Result<Response, Refusal> {
    who.require(OPERATOR)?;
    x.read_body(&who, &request, &wanted).await
}

/// Reads the body of a message from its page.
#[utoipa::path(get, path = "/exchange/evidence/{request}/body", tag = "exchange",
    operation_id = "evidence_body_page",
    params(("request" = String, Path, description = "the exchange's id"), BodyWanted),
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["body-read"]))),
    responses((status = 200, description = "the body", content_type = "application/octet-stream"),
              (status = 404), (status = 422)))]
pub(crate) async fn page(
    State(x): State<Exchange>,
    Operator(who): Operator,
    Path(request): Path<String>,
    Query(wanted): Query<BodyWanted>,
) -> Result<Response, Refusal> {
    who.require(OPERATOR)?;
    x.read_body(&who, &request, &wanted).await
}

/// What a body is read for.
///
/// # Errors
/// 422 `body-purpose` without one.
pub(crate) fn purpose(said: Option<&str>) -> Result<String, Problem> {
    let said = said.unwrap_or_default().trim();
    if said.is_empty() || said.len() > PURPOSE_BYTES_MAX || said.contains(char::is_control) {
        return Err(Problem::invalid("purpose", "body-purpose").with("max", PURPOSE_BYTES_MAX));
    }
    Ok(said.to_owned())
}

impl Exchange {
    /// The container of a message with its kept body, for who says what for; as [`Exchange::read_body`].
    pub(crate) async fn container_with_body(
        &self,
        who: &Principal,
        request: &str,
        which: Which,
        said: Option<&str>,
    ) -> Result<Vec<u8>, Problem> {
        let purpose = purpose(said)?;
        let (side, _, body) = self.kept_at(who, request, which).await?;
        self.contained((&side, which), &body, &who.actor, &purpose).await
    }

    /// The same for a system that took part, at the side of its own organisation.
    pub(crate) async fn container_for_system(
        &self,
        system: &SystemId,
        side: &Indexed,
        which: Which,
        purpose: &str,
    ) -> Result<Vec<u8>, Problem> {
        let (_, body) = self.0.kept_body(side, which).await?;
        let actor = Actor::System(system.to_string());
        self.contained((side, which), &body, &actor, purpose).await
    }

    async fn contained(
        &self,
        (side, which): (&Indexed, Which),
        body: &Body,
        actor: &Actor,
        purpose: &str,
    ) -> Result<Vec<u8>, Problem> {
        let body = body.whole(CONTAINED_BYTES_MAX).await?;
        let shelf = Shelf::of(&*self.0);
        let zip = shelf.container_around(side, which, Some(body)).await?;
        let zip = zip.ok_or_else(Problem::not_found)?;
        self.body_read(actor, side, which, purpose).await?;
        Ok(zip)
    }

    /// Where an operator may read the kept body of a message: the side, the message and the body.
    async fn kept_at(
        &self,
        who: &Principal,
        request: &str,
        which: Which,
    ) -> Result<(Indexed, Kept, Body), Problem> {
        let mut refused = Problem::new(Kind::NotFound, "body-not-kept");
        for side in self.sides(who, request).await? {
            match self.0.kept_body(&side, which).await {
                Ok((kept, body)) => return Ok((side, kept, body)),
                Err(problem) if problem.code == "body-not-kept" => {}
                Err(problem) => refused = problem,
            }
        }
        Err(refused)
    }

    async fn read_body(
        &self,
        who: &Principal,
        request: &str,
        wanted: &BodyWanted,
    ) -> Result<Response, Refusal> {
        let part = wanted.part.as_deref().unwrap_or("request");
        let which = Which::named(part).ok_or_else(|| Problem::invalid("part", "malformed"))?;
        let purpose = purpose(wanted.purpose.as_deref())?;
        let (side, kept, body) = self.kept_at(who, request, which).await?;
        let sent = self.0.whole(&kept, body).await?;
        self.body_read(&who.actor, &side, which, &purpose).await?;
        let name = format!("{}-{}.body", file_safe(request), which.as_str());
        Ok(download(&name, sent))
    }

    /// Writes down who reads which body and why: before it leaves.
    async fn body_read(
        &self,
        actor: &Actor,
        side: &Indexed,
        which: Which,
        purpose: &str,
    ) -> Result<(), Problem> {
        let own: OrgCode = side.own.parse().map_err(Problem::internal)?;
        let fact = || Fact::BodyRead {
            request: side.request.clone(),
            side: side.side.to_owned(),
            part: which.as_str().to_owned(),
            purpose: purpose.to_owned(),
        };
        let subject = &format!("exchange/{}", side.request);
        let written = self.0.store.write(&own, actor, |tx| async move {
            tx.fact(subject, fact()).await.map(drop)
        });
        written.await
    }
}

impl Gateway {
    /// The kept body of a message of a record, with the message.
    ///
    /// # Errors
    /// As [`Gateway::body_of`].
    pub(crate) async fn kept_body(&self, side: &Indexed, which: Which) -> Result<(Kept, Body), Problem> {
        let record = Shelf::of(self).record(side.position).await?;
        let not_kept = || Problem::new(Kind::NotFound, "body-not-kept");
        let kept = match which {
            Which::Request => Some(record.request),
            Which::Answer => record.answer,
        };
        let kept = kept.ok_or_else(not_kept)?;
        let body = self.body_of(&kept).await?;
        Ok((kept, body))
    }

    /// A body that is the one of the signed digest: what fits into memory is known to be before any of it
    /// leaves, a larger one before its end does.
    async fn whole(&self, kept: &Kept, body: Body) -> Result<Sent, Problem> {
        let digest = Digest(kept.body);
        let memory_max = self.memory_bytes_max();
        if body.size() > memory_max as u64 {
            return Ok(Sent::from_stream(
                checked(body.pieces(), digest).map_err(std::io::Error::other),
            ));
        }
        let bytes = body.whole(memory_max).await?;
        if Digest::of(&bytes) == digest {
            Ok(Sent::from(bytes))
        } else {
            Err(other_bytes())
        }
    }

    /// What became of the bodies of a record.
    pub(crate) fn bodies_of(&self, record: &Evidence) -> Vec<EvidenceBody> {
        let now = self.now().ms();
        let of = |which: Which, kept: &Kept| EvidenceBody {
            of: which.as_str(),
            state: match kept.stored {
                Some(stored) if now < stored.until => "kept",
                Some(_) => "destroyed",
                None => "digest",
            },
            until: kept.stored.map(|stored| stored.until),
        };
        let mut bodies = vec![of(Which::Request, &record.request)];
        bodies.extend(record.answer.as_ref().map(|answer| of(Which::Answer, answer)));
        bodies
    }
}

fn other_bytes() -> Problem {
    Problem::new(Kind::Internal, "body-damaged").because("not the bytes of the signed digest")
}

/// The pieces as they are, the last one only when all of them are those of a digest.
fn checked(
    pieces: impl Stream<Item = Result<Bytes, Problem>> + Send + 'static,
    digest: Digest,
) -> impl Stream<Item = Result<Bytes, Problem>> + Send + 'static {
    let state = (Box::pin(pieces), Context::new(&SHA256), None::<Bytes>);
    let pieces = stream::try_unfold(Some(state), move |state| async move {
        let Some((mut pieces, mut hash, held)) = state else {
            return Ok(None);
        };
        match pieces.try_next().await? {
            Some(piece) => {
                hash.update(&piece);
                Ok(Some((
                    held.unwrap_or_default(),
                    Some((pieces, hash, Some(piece))),
                )))
            }
            None if hash.finish().as_ref() == digest.0 => Ok(Some((held.unwrap_or_default(), None))),
            None => Err(other_bytes()),
        }
    });
    pieces.try_filter(|piece| std::future::ready(!piece.is_empty()))
}

/// Bytes that somebody sent: taken away, never shown.
fn download(name: &str, sent: Sent) -> Response {
    let headers = [
        (CONTENT_TYPE, "application/octet-stream".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, sent).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_reads_a_body_without_saying_what_for() {
        assert_eq!(
            purpose(Some(" thanh tra 12/QĐ ")).expect("a purpose"),
            "thanh tra 12/QĐ"
        );
        let long = "x".repeat(PURPOSE_BYTES_MAX + 1);
        for said in [None, Some(""), Some("  "), Some("a\nb"), Some(long.as_str())] {
            let refused = purpose(said).expect_err("refused");
            assert_eq!(
                (refused.code, refused.field.as_deref()),
                ("body-purpose", Some("purpose"))
            );
        }
    }

    #[tokio::test]
    async fn the_end_of_a_large_body_leaves_only_when_all_of_it_is_what_was_signed() {
        let pieces = || stream::iter([Ok(Bytes::from_static(b"ab")), Ok(Bytes::from_static(b"c"))]);
        let good: Vec<Bytes> = checked(pieces(), Digest::of(b"abc"))
            .try_collect()
            .await
            .expect("sent");
        assert_eq!(good.concat(), b"abc");
        let bad: Result<Vec<Bytes>, Problem> = checked(pieces(), Digest::of(b"abd")).try_collect().await;
        assert_eq!(bad.expect_err("broken off").code, "body-damaged");
    }
}
