//! Messages made by hand, as a gateway of ill will makes them, and a stranger between two nodes.
//! Never the crate's own way of sending: what is tested is the other end.

use std::sync::Arc;

use axum::Router;
use axum::routing::post;
use bytes::Bytes;
use exchange::envelope::{self, Message, Reply, Sent};
use exchange::message::RequestHead;
use kernel::Time;
use seal::batch::Parts;
use seal::key::Identity;
use tokio::sync::watch;

use crate::nation::{LOOKUP, Nation, PORTAL, system};
use crate::node::{serve, tls_client};

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
            media: "application/json".to_owned(),
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
            },
        }
    }

    /// A good request.
    pub(crate) fn good(&self) -> Sent {
        self.sealed(&self.head(), b"{}", &self.hub, self.national.now())
    }

    /// Sends bytes from the national node to the ministry's gateway.
    pub(crate) async fn carry(&self, bytes: Vec<u8>) -> (u16, Bytes) {
        let from = &self.national;
        let client = tls_client(&from.temp, &from.keyring.node, &from.directory, &self.ca);
        send(&client, &self.ministry.peer, bytes)
            .await
            .expect("an answer")
    }

    /// Sends a request, and gives what the gateway said.
    pub(crate) async fn told(&self, sent: &Sent) -> String {
        let (status, body) = self.carry(envelope::write(sent)).await;
        assert_eq!(status, 200);
        code_of(&envelope::read(&body).expect("a reply"))
    }

    /// Puts a stranger between the nodes: it speaks as the ministry's node and gives back what
    /// `change` makes of every reply.
    pub(crate) async fn between<F>(&mut self, change: F) -> watch::Sender<bool>
    where
        F: Fn(Vec<u8>) -> (u16, Vec<u8>) + Send + Sync + 'static,
    {
        let from = &self.national;
        let client = tls_client(&from.temp, &from.keyring.node, &from.directory, &self.ca);
        let (change, real) = (Arc::new(change), self.ministry.peer.clone());
        let take = move |body: Bytes| {
            let (client, change, real) = (client.clone(), Arc::clone(&change), real.clone());
            async move {
                let (_, reply) = send(&client, &real, body.to_vec()).await.expect("an answer");
                let (status, bytes) = change(reply.to_vec());
                (web::http::StatusCode::from_u16(status).expect("a status"), bytes)
            }
        };
        let router = Router::new().route("/exchange/v1", post(take));
        let (stop, shutdown) = watch::channel(false);
        let node = &self.ministry;
        let (peer, _) = serve(
            &node.temp,
            &node.keyring,
            &node.directory,
            router,
            &self.ca,
            shutdown,
        )
        .await;
        self.publish(|s| s.nodes[1].peer = peer).await;
        stop
    }
}

async fn send(client: &web::Client, peer: &str, bytes: Vec<u8>) -> Result<(u16, Bytes), web::ClientError> {
    let request = web::http::Request::post(format!("https://{peer}/exchange/v1"))
        .body(Bytes::from(bytes))
        .expect("a request");
    let answer = client.send(request, 10_000, 20 << 20).await?;
    Ok((answer.status().as_u16(), answer.into_body()))
}
