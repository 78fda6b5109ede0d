//! A system behind this gateway that gave no answer is asked once more, within the time of the one call:
//! at another of its addresses, or after a short wait at the same. Never for what may have had an effect
//! and would have a second one.

use std::sync::Arc;

use kernel::Problem;

use crate::again::{self, Again, OnceMore};
use crate::breaker::Pass;
use crate::circuits::{Entered, WayIn};
use crate::gateway::Gateway;
use crate::service::{Answer, Call, Large, Service};
use crate::spool::Spool;

impl Gateway {
    /// Calls a system behind this gateway at its address, and once more when that may be. `entered` is
    /// where the call is, for whoever hears how it ends: the circuit that it left for another address has
    /// heard of it.
    pub(crate) async fn call_behind<'s>(
        &self,
        service: &'s dyn Service,
        call: &Call,
        mut large: Large,
        entered: &mut Entered<'s>,
    ) -> Result<(Answer, Option<Arc<Spool>>), Problem> {
        let first = match service.call_large(call, &large).await {
            Err(problem) => problem,
            answered => return answered,
        };
        let again = Again::of(call.rest.method, call.idempotency.as_deref());
        let Some(why) = OnceMore::of(first.code, again) else {
            return Err(first);
        };
        let Some((way, next)) = self.way_once_more(service, (large.way, *entered), why).await else {
            return Err(first);
        };
        if way != large.way
            && let Some((url, pass)) = *entered
        {
            self.settle(url, &call.agreement.service, pass, &first);
        }
        (large.way, *entered) = (way, next);
        metrics::counter!("sen_exchange_service_asked_again_total").increment(1);
        match service.call_large(call, &large).await {
            // What was sent the first time may have had its effect: it is not told as never sent.
            Err(second) if second.code == "service-unreachable" => Err(first),
            second => second,
        }
    }

    /// Where a call that failed may go: to another address at once, else to the same after a wait. Not to
    /// one that took its whole time, nor with the one call that tries an open circuit.
    async fn way_once_more<'s>(
        &self,
        service: &'s dyn Service,
        (failed, entered): WayIn<'s>,
        why: OnceMore,
    ) -> Option<WayIn<'s>> {
        let beside = self.service_circuits.way_beside(service, failed, self.now());
        if beside.is_some() {
            return beside;
        }
        let is_try = matches!(entered, Some((_, Pass::Try)));
        if why == OnceMore::Silent || is_try {
            return None;
        }
        tokio::time::sleep(again::wait(1, self.store.world().random())?).await;
        Some((failed, entered))
    }
}
