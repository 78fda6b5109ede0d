//! Telling open boards that a figure moved: server-sent events, and the small script that asks for
//! the page again when one comes. Pages work without either; never carries a number itself.

use std::convert::Infallible;
use std::pin::Pin;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use kernel::{Kind, Problem};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Sleep, sleep};
use web::problem::Refusal;

use crate::Indicators;

const SCRIPT: &str = include_str!("../assets/live.js");
/// The longest life of one stream; the browser then opens the next.
const LIFE: Duration = Duration::from_secs(300);
/// Facts come in bursts: no more than one event in this time.
const REST: Duration = Duration::from_millis(250);
/// A sign of life, so that a reader that is gone is noticed.
const BEAT: Duration = Duration::from_secs(10);

struct Watching {
    folded: watch::Receiver<u64>,
    stopping: watch::Receiver<bool>,
    end: Pin<Box<Sleep>>,
    first: bool,
    /// Held for as long as the stream lives.
    _place: OwnedSemaphorePermit,
}

/// The script.
pub(crate) async fn script() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, SCRIPT).into_response()
}

/// The stream: an event whenever facts were folded.
pub(crate) async fn events(State(indicators): State<Indicators>) -> Result<Response, Refusal> {
    let places = std::sync::Arc::clone(&indicators.0.streams);
    let place = places
        .try_acquire_owned()
        .map_err(|_| Problem::new(Kind::Unavailable, "live-full"))?;
    let watching = Watching {
        folded: indicators.0.folded.subscribe(),
        stopping: indicators.0.stopping.subscribe(),
        end: Box::pin(sleep(LIFE)),
        first: true,
        _place: place,
    };
    let events = stream::unfold(watching, |mut w| async move {
        let text = w.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(text)), w))
    });
    let headers = [(header::CONTENT_TYPE, "text/event-stream")];
    Ok((headers, Body::from_stream(events)).into_response())
}

impl Indicators {
    /// Ends every stream of events, and those that are still asked for: an open board is no request
    /// that a stop waits for.
    pub fn end_streams(&self) {
        self.0.stopping.send_replace(true);
    }
}

impl Watching {
    async fn next(&mut self) -> Option<String> {
        if std::mem::take(&mut self.first) {
            return Some("retry: 1000\n\n".to_owned());
        }
        if *self.stopping.borrow() {
            return None;
        }
        tokio::select! {
            changed = self.folded.changed() => {
                changed.ok()?;
                let position = *self.folded.borrow_and_update();
                sleep(REST).await;
                Some(format!("data: {position}\n\n"))
            }
            () = &mut self.end => None,
            () = sleep(BEAT) => Some(": here\n\n".to_owned()),
            _ = self.stopping.changed() => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::House;
    use axum::body::Body;
    use axum::http::Request;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    #[tokio::test]
    async fn an_open_board_is_told_when_a_figure_moved() {
        let house = House::new("G22").await;
        let request = Request::get("/boards/live")
            .body(Body::empty())
            .expect("a request");
        let answer = house.router.clone().oneshot(request).await.expect("an answer");
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        let mut events = answer.into_body();
        let mut next = async || {
            let frame = events.frame().await?.ok()?.into_data().ok()?;
            Some(String::from_utf8_lossy(&frame).into_owned())
        };
        assert_eq!(next().await.as_deref(), Some("retry: 1000\n\n"));
        house.filed(1).await;
        house.fold().await;
        assert_eq!(next().await.as_deref(), Some("data: 1\n\n"));
        house.indicators.end_streams();
        assert_eq!(next().await, None, "the stream ends with the node");
    }
}
