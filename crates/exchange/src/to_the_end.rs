//! Work that goes on when whoever waits for it goes away. Never a task of its own while somebody waits:
//! that would cost two switches of tasks for each call.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;

/// A future that is handed to the runtime, with what is left of it, when it is dropped half-way.
pub(crate) struct ToTheEnd<F>(Option<Pin<Box<F>>>)
where
    F: Future<Output: Send> + Send + 'static;

impl<F: Future<Output: Send> + Send + 'static> ToTheEnd<F> {
    pub(crate) fn of(work: F) -> Self {
        Self(Some(Box::pin(work)))
    }
}

impl<F: Future<Output: Send> + Send + 'static> Future for ToTheEnd<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let Some(work) = &mut self.0 else {
            // It has ended, and was asked again: there is nothing more to come.
            return Poll::Pending;
        };
        let polled = work.as_mut().poll(cx);
        if polled.is_ready() {
            self.0 = None;
        }
        polled
    }
}

impl<F: Future<Output: Send> + Send + 'static> Drop for ToTheEnd<F> {
    fn drop(&mut self) {
        // Without a runtime the process ends, and the work with it: as in a crash.
        if let Some(rest) = self.0.take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::{mpsc, oneshot};
    use tokio::time::timeout;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn what_was_begun_ends_when_its_caller_goes_away() {
        let (tell, mut told) = mpsc::channel(2);
        let (go_on, wait) = oneshot::channel::<()>();
        let work = ToTheEnd::of(async move {
            tell.send("begun").await.expect("somebody listens");
            wait.await.expect("it goes on");
            tell.send("ended").await.expect("somebody listens");
        });
        let waited = timeout(Duration::from_millis(50), work).await;
        assert!(waited.is_err(), "its caller has gone away");
        assert_eq!(told.recv().await, Some("begun"));
        go_on.send(()).expect("it still waits");
        assert_eq!(timeout(PATIENCE, told.recv()).await, Ok(Some("ended")));
    }

    #[tokio::test]
    async fn what_was_never_asked_for_is_done_as_well_and_what_has_ended_is_done_once() {
        let (tell, mut told) = mpsc::channel(4);
        let teller = tell.clone();
        drop(ToTheEnd::of(async move { teller.send("dropped").await.is_ok() }));
        assert_eq!(timeout(PATIENCE, told.recv()).await, Ok(Some("dropped")));
        let teller = tell.clone();
        assert!(ToTheEnd::of(async move { teller.send("awaited").await.is_ok() }).await);
        drop(tell);
        assert_eq!(timeout(PATIENCE, told.recv()).await, Ok(Some("awaited")));
        assert_eq!(timeout(PATIENCE, told.recv()).await, Ok(None));
    }
}
