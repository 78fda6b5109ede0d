//! What another node may ask of this one when its operator tries the way here: that it answers, and what
//! its clock says. Never anything of an exchange.

use axum::extract::State;
use axum::routing::get;
use axum::{Extension, Json, Router};
use serde::{Deserialize, Serialize};
use web::{Peer, Refusal};

use crate::gateway::Exchange;

/// The path on the peer listener.
pub(super) const PATH: &str = "/exchange/v1/clock";

/// What a node says of its clock.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ClockTold {
    /// The form's version; 1.
    pub(super) v: u16,
    /// Its time, milliseconds since 1970.
    pub(super) at: i64,
}

/// Where other nodes ask.
pub(crate) fn routes() -> Router<Exchange> {
    Router::new().route(PATH, get(tell))
}

async fn tell(
    State(x): State<Exchange>,
    Extension(peer): Extension<Peer>,
) -> Result<Json<ClockTold>, Refusal> {
    x.node_behind(&peer)?;
    let at = x.0.now().ms();
    Ok(Json(ClockTold { v: 1, at }))
}
