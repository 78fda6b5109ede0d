//! Listeners and jobs, started and stopped in order: first nobody is let in, then what has begun is
//! finished, then the jobs end, then the files are closed. Never loses what was acknowledged.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use kernel::World;
use kernel::limits::Limits;
use tokio::sync::watch;
use tokio::task::JoinSet;
use web::AnswerFrames;
use web::client::Client;
use web::listen::{self, Listener};

use super::assemble::{self, Node};
use super::checks::{DirectoryIsThere, StoreAnswers};
use super::faces::Faces;
use crate::evidence::leaving::{daily, order};

/// How often the bank is asked about orders that nobody has reported.
const ORDERS: Duration = Duration::from_secs(15);
/// How often acts are looked for whose taking back was cut short.
const WITHDRAWALS: Duration = Duration::from_secs(30);
/// How often a desk looks for cases of units that were merged, and for due dates to count again.
const DESK: Duration = Duration::from_secs(600);
/// How often a place looks for what another process of it published.
const DESIGNS: Duration = Duration::from_secs(30);

impl Node {
    /// Serves on the given sockets until `shutdown` turns true; the set is empty when all is closed.
    ///
    /// # Errors
    /// When the node-to-node TLS cannot be set up.
    pub fn start(
        self,
        faces: Faces,
        shutdown: &watch::Receiver<bool>,
        world: &World,
    ) -> anyhow::Result<JoinSet<()>> {
        let limits = self.plan.limits.clone();
        let tls = super::tls::server(&self.plan, &self.directory, world)?;
        let systems_tls = super::tls::systems(&self.plan, world)?;
        let checks: Vec<Arc<dyn web::health::Check>> = vec![
            Arc::new(StoreAnswers(self.store.clone())),
            Arc::new(DirectoryIsThere(self.directory.clone())),
            Arc::new(super::checks::NoMaintenance(self.exchange.clone())),
        ];
        let administration = web::health::router(checks).merge(super::checks::info(&self, world));
        let mut listeners = JoinSet::new();
        let mut serve = |listener: Listener, tls, router: Router| {
            let (limits, shutdown): (Limits, _) = (limits.clone(), shutdown.clone());
            listeners.spawn(async move { listen::serve(listener, tls, router, &limits, shutdown).await });
        };
        serve(faces.public, faces.public_tls, self.portal.clone());
        serve(
            faces.systems,
            systems_tls,
            self.exchange
                .systems_router(self.plan.error_code_style, self.plan.systems),
        );
        serve(faces.administration, None, administration);
        let answers: (Router, Arc<dyn AnswerFrames>) =
            (self.peer_router.clone(), Arc::new(self.exchange.clone()));
        let stop = shutdown.clone();
        listeners.spawn(async move { listen::serve_nodes(faces.peer, tls, answers, &limits, stop).await });
        let (boards, mut stop) = (self.indicators.clone(), shutdown.clone());
        listeners.spawn(async move {
            if stop.wait_for(|stop| *stop).await.is_ok() {
                boards.end_streams();
            }
        });
        let (end, ended) = watch::channel(false);
        let store = self.store.clone();
        let mut jobs = self.jobs(&ended, world)?;
        let mut whole = JoinSet::new();
        whole.spawn(async move {
            while listeners.join_next().await.is_some() {}
            end.send_replace(true);
            while jobs.join_next().await.is_some() {}
            store.close().await;
        });
        Ok(whole)
    }

    fn jobs(self, stop: &watch::Receiver<bool>, world: &World) -> anyhow::Result<JoinSet<()>> {
        let mut running = JoinSet::new();
        let every_ms = self.plan.jobs.directory_ms;
        if let Some(url) = self.plan.hub_url.clone() {
            let hub = Client::tls(super::tls::hub_client(&self.plan, &self.directory, world)?);
            let follow = directory::follow(self.directory.clone(), hub, url, every_ms, stop.clone());
            running.spawn(async move { joined(follow.await) });
        }
        let others = directory::follow_instances(self.directory.clone(), every_ms, stop.clone());
        running.spawn(async move { joined(others.await) });
        if let Some(hub) = self.hub().cloned() {
            let lists = directory::lists::follow_lists(hub, stop.clone());
            running.spawn(async move { joined(lists.await) });
        }
        let outbox = self.store.run_outbox(self.deliverers, stop.clone());
        running.spawn(async move { joined(outbox.await) });
        running.spawn(self.exchange.clone().follow_evidence(stop.clone()));
        running.spawn(self.exchange.clone().follow_terms(stop.clone()));
        running.spawn(self.exchange.clone().follow_health(stop.clone()));
        let every = Duration::from_millis(self.plan.jobs.timestamp_ms);
        running.spawn(self.exchange.clone().stamp_evidence(every, stop.clone()));
        running.spawn(self.indicators.follow(stop.clone()));
        let orders = order::follow(self.exchange.clone(), self.plan.folder.clone(), stop.clone());
        running.spawn(orders);
        if let Some((archive, node)) = self.plan.archive.clone() {
            let round = daily::Round {
                node,
                archive,
                pack: self.plan.pack.clone(),
                anchors: self.plan.anchors.clone(),
            };
            running.spawn(daily::follow(
                self.exchange.clone(),
                round,
                world.clone(),
                stop.clone(),
            ));
        }
        for cases in self.cases {
            running.spawn(follow_designs(cases.clone(), stop.clone()));
            match cases.place() {
                cases::Place::Portal => running.spawn(settle_fees(cases, stop.clone())),
                cases::Place::Desk => {
                    running.spawn(migrate(cases.clone(), stop.clone()));
                    running.spawn(compare(cases.clone(), stop.clone()));
                    running.spawn(tend_desk(cases, stop.clone()))
                }
            };
        }
        if let Some(registers) = self.registers {
            running.spawn(finish_withdrawals(registers, stop.clone()));
        }
        if !self.agreed {
            let (exchange, directory, plan) = (self.exchange, self.directory, self.plan);
            let mut stop = stop.clone();
            running.spawn(async move {
                while directory.snapshot().serial == 0 && !*stop.borrow() {
                    rest(Duration::from_millis(every_ms), &mut stop).await;
                }
                if let Err(cause) = assemble::adopt_agreements(&exchange, &plan).await {
                    tracing::error!(%cause, "agreements are not in force");
                }
            });
        }
        Ok(running)
    }
}

async fn settle_fees(cases: cases::Cases, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        if let Err(problem) = cases.settle_open_orders().await {
            tracing::warn!(%problem, "open orders could not be asked about; trying again");
        }
        rest(ORDERS, &mut stop).await;
    }
}

async fn finish_withdrawals(registers: registers::Registers, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        if let Err(problem) = registers.finish_withdrawals().await {
            tracing::warn!(%problem, "an act could not be taken back yet; trying again");
        }
        rest(WITHDRAWALS, &mut stop).await;
    }
}

/// What another process of the node published is in force here, too, before long.
async fn follow_designs(cases: cases::Cases, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        if let Err(problem) = cases.take_up_designs().await {
            tracing::warn!(%problem, "published versions could not be taken up; trying again");
        }
        rest(DESIGNS, &mut stop).await;
    }
}

/// Cases of a migration that was started go on under another version. However many they are, they hold up no other job,
/// and what a stop cuts short is gone on with at the next start.
async fn migrate(desk: cases::Cases, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let done = tokio::select! {
            done = desk.run_migrations() => done,
            _ = stop.changed() => return,
        };
        if let Err(problem) = done {
            tracing::warn!(%problem, "cases could not go on under another version yet; trying again");
        }
        rest(DESIGNS, &mut stop).await;
    }
}

/// Once a day, from its second on, what the portal shows is compared with what the desk has, in the same way.
async fn compare(desk: cases::Cases, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let done = tokio::select! {
            done = desk.reconcile_daily() => done,
            _ = stop.changed() => return,
        };
        if let Err(problem) = done {
            tracing::warn!(%problem, "the cases could not be compared with the portal's yet; trying again");
        }
        rest(DESK, &mut stop).await;
    }
}

/// At the start and then through the day: a day on which units are merged begins at midnight, and
/// a case whose result was being made is looked at again. Holidays announced since the last start move due dates.
async fn tend_desk(desk: cases::Cases, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        if let Err(problem) = desk.move_merged().await {
            tracing::warn!(%problem, "cases of merged units could not be moved yet; trying again");
        }
        if let Err(problem) = desk.recount().await {
            tracing::warn!(%problem, "due dates could not be counted by the new calendar yet; trying again");
        }
        if let Err(problem) = desk.tend_consults().await {
            tracing::warn!(%problem, "opinions that are waited for could not be seen to yet; trying again");
        }
        if let Err(problem) = desk.tell_statistics().await {
            tracing::warn!(%problem, "the month's figures could not be told to a portal yet; trying again");
        }
        if let Err(problem) = desk.escalate().await {
            tracing::warn!(%problem, "late cases could not be told to who is above yet; trying again");
        }
        rest(DESK, &mut stop).await;
    }
}

/// Waits, or less when the node stops.
async fn rest(time: Duration, stop: &mut watch::Receiver<bool>) {
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        _ = stop.changed() => {}
    }
}

fn joined(result: Result<(), tokio::task::JoinError>) {
    if let Err(cause) = result {
        tracing::error!(%cause, "a job ended");
    }
}
