//! What a ready node needs, and what a node says of itself to its operators. Never personal data.

use async_trait::async_trait;
use axum::Router;
use axum::routing::get;
use directory::Directory;
use kernel::World;
use serde_json::json;
use store::Store;

use super::assemble::Node;

/// The store answers.
pub(super) struct StoreAnswers(pub(super) Store);

#[async_trait]
impl web::health::Check for StoreAnswers {
    fn name(&self) -> &'static str {
        "store"
    }

    async fn check(&self) -> Result<(), String> {
        self.0
            .read(&store::node_tenant())
            .await
            .map(|_| ())
            .map_err(|p| p.code.to_owned())
    }
}

/// There is a directory. An old one only turns `/info` amber: losing the hub stops nobody.
pub(super) struct DirectoryIsThere(pub(super) Directory);

#[async_trait]
impl web::health::Check for DirectoryIsThere {
    fn name(&self) -> &'static str {
        "directory"
    }

    async fn check(&self) -> Result<(), String> {
        if self.0.snapshot().serial > 0 {
            Ok(())
        } else {
            Err("none adopted yet: see directory.hub and the log".to_owned())
        }
    }
}

/// The node makes and answers calls: its operator has not put it in maintenance.
pub(super) struct NoMaintenance(pub(super) exchange::Exchange);

#[async_trait]
impl web::health::Check for NoMaintenance {
    fn name(&self) -> &'static str {
        "exchange"
    }

    fn face(&self) -> Option<&'static str> {
        Some("exchange")
    }

    async fn check(&self) -> Result<(), String> {
        match self.0.maintenance() {
            None => Ok(()),
            Some(held) => Err(format!("maintenance: {}", held.notice)),
        }
    }
}

/// `/info`: which release, which node, since when; amber when the hub has not confirmed the directory
/// for longer than the node's bound. The hub itself asks nobody.
pub(super) fn info(node: &Node, world: &World) -> Router {
    let (id, tenants) = (node.plan.id.clone(), node.plan.tenants.clone());
    let engine = format!("{:?}", node.store.engine()).to_lowercase();
    let (directory, began, world) = (node.directory.clone(), world.now(), world.clone());
    let (is_hub, age_ms_max) = (node.plan.is_hub, node.plan.limits.directory_age_ms_max);
    let answer = move || {
        let now = world.now();
        let age_ms = directory.age(now);
        let body = json!({
            "version": env!("CARGO_PKG_VERSION"), "node": id, "tenants": tenants, "engine": engine,
            "started": began.to_string(), "up_ms": now.ms() - began.ms(),
            "directory": {
                "serial": directory.snapshot().serial, "age_ms": age_ms, "amber": !is_hub && age_ms > age_ms_max,
            },
        });
        async move { axum::Json(body) }
    };
    Router::new().route("/info", get(answer))
}
