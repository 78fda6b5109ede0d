//! Messages made by hand, as a gateway of ill will makes them, and a stranger between two nodes.
//! Never the crate's own way of sending: what is tested is the other end.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use exchange::Rest;
use exchange::envelope::{self, Message, Reply, Sent};
use exchange::message::RequestHead;
use kernel::Time;
use seal::batch::Parts;
use seal::key::Identity;
use tokio::sync::watch;
use web::{AnswerFrames, FrameClient, Peer};

use crate::nation::{LOOKUP, Nation, PORTAL, system};
use crate::node::{frames, serve};

/// What a gateway says on the wire.
pub(crate) fn code_of(reply: &Reply) -> String {
    match (&reply.answer, &reply.fault) {
        (Some(_), None) => String::new(),
        (None, Some(fault)) => fault.code.clone(),
        _ => "both or neither".to_owned(),
    }
}
impl Nation {
    /// A good request's head, with an id of its own.
    pub(crate) fn head(&self) -> RequestHead {
        RequestHead {
            consumer: system(PORTAL),
            service: LOOKUP.parse().expect("an id"),
            request: self.national.temp.store.world().id(),
            agreement: self.agreement().hash(),
            sent: self.national.now(),
            on_behalf: "citizen:a1".to_owned(),
            issue: None,
            idempotency: None,
            rest: Rest::default(),
        }
    }

    /// Seals a request as the middle one of a batch of three.
    pub(crate) fn sealed(&self, head: &RequestHead, body: &[u8], by: &Identity, at: Time) -> Sent {
        let head = head.to_bytes();
        let batch: Vec<Parts> = [&b"before"[..], &head, b"behind"]
            .iter()
            .map(|head| Parts::of(head, body))
            .collect();
        let sealed = seal::batch::seal_batch(by, &batch, at).remove(1);
        Sent {
            version: 1,
            message: Message {
                head: head.into(),
                body: body.to_vec().into(),
                sealed,
                spool: None,
            },
            beside: None,
        }
    }

    /// A good request.
    pub(crate) fn good(&self) -> Sent {
        self.sealed(&self.head(), b"{}", &self.hub, self.national.now())
    }

    /// Sends bytes from the national node to the ministry's gateway.
    pub(crate) async fn carry(&self, bytes: Vec<u8>) -> Vec<u8> {
        let from = &self.national;
        let client = frames(&from.temp, &from.keyring.node, &from.directory, &self.ca);
        let answer = client.send(&self.ministry.peer, Bytes::from(bytes), 10_000).await;
        answer.expect("an answer")
    }

    /// Sends a request, and gives what the gateway said.
    pub(crate) async fn told(&self, sent: &Sent) -> String {
        let body = self.carry(envelope::write(sent)).await;
        code_of(&envelope::read(&body).expect("a reply"))
    }

    /// Puts a stranger between the nodes: it speaks as the ministry's node and gives back what
    /// `change` makes of every reply.
    pub(crate) async fn between<F>(&mut self, change: F) -> watch::Sender<bool>
    where
        F: Fn(Vec<u8>) -> Vec<u8> + Send + Sync + 'static,
    {
        let from = &self.national;
        let stranger = Arc::new(Stranger {
            client: frames(&from.temp, &from.keyring.node, &from.directory, &self.ca),
            real: self.ministry.peer.clone(),
            change,
        });
        let (stop, shutdown) = watch::channel(false);
        let node = &self.ministry;
        let (peer, _) = serve(
            &node.temp,
            &node.keyring,
            &node.directory,
            (axum::Router::new(), stranger),
            &self.ca,
            shutdown,
        )
        .await;
        self.publish(|s| s.nodes[1].peer = peer).await;
        stop
    }
}

/// Hands messages on and changes every reply.
struct Stranger<F> {
    client: FrameClient,
    real: String,
    change: F,
}

#[async_trait]
impl<F: Fn(Vec<u8>) -> Vec<u8> + Send + Sync> AnswerFrames for Stranger<F> {
    fn message_bytes_max(&self) -> usize {
        20 << 20
    }

    async fn answer(&self, _: &Peer, message: Vec<u8>) -> Vec<u8> {
        let reply = self.client.send(&self.real, Bytes::from(message), 10_000).await;
        (self.change)(reply.expect("an answer"))
    }
}
