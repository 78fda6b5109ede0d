//! A long mixed life written as facts by many writers at once while the figures follow; then every
//! number equals a rebuild from the first fact, and the totals equal what was done. How many actions:
//! `SEN_SOAK_ACTIONS` (`cargo xtask soak --actions 100000`).

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use axum::http::Request;
use directory::{Areas, Organisations};
use http_body_util::BodyExt as _;
use indicators::{Indicators, MIGRATIONS, Pack, Parts, TEXTS};
use kernel::fact::{Channel, ExchangeCount};
use kernel::{Actor, CaseCode, Chance as _, Digest, Fact, OrgCode, Tenant, Time};
use testkit::{ManualClock, SeededChance};
use tokio::task::JoinSet;
use tower::ServiceExt as _;
use web::{NodeFace, Shared, auth::Nobody};

const ACTIONS: u64 = 5_000;
const WRITERS: u64 = 48;
/// The whole life lasts about this long, so that months turn and old rows are let go.
const LIFE_MS: i64 = 300 * 86_400_000;

/// What was done, to be held against the figures.
#[derive(Default)]
struct Done {
    actions: AtomicU64,
    filed: AtomicU64,
    decided: AtomicU64,
    ratings: AtomicU64,
    dong: AtomicU64,
    exchanges: AtomicU64,
    statuses: AtomicU64,
}

/// One writer with its own chance and its own cases.
struct Writer {
    store: store::Store,
    clock: Arc<ManualClock>,
    home: Tenant,
    chance: SeededChance,
    number: u64,
    done: Arc<Done>,
    actions: u64,
    step_ms: i64,
}

fn add(counter: &AtomicU64, amount: u64) {
    counter.fetch_add(amount, Ordering::Relaxed);
}

impl Writer {
    fn below(&self, end: u64) -> u64 {
        let mut bytes = [0; 8];
        self.chance.fill(&mut bytes);
        u64::from_le_bytes(bytes) % end
    }

    async fn record(&self, subject: &str, fact: Fact) {
        self.clock.advance_ms(self.step_ms);
        let fact = &fact;
        self.store
            .write(&self.home, &Actor::Platform, |tx| async move {
                tx.fact(subject, fact.clone()).await
            })
            .await
            .expect("recorded");
        add(&self.done.actions, 1);
    }

    fn unit(&self) -> OrgCode {
        let province = ["H56", "H26", "H29", "H41", "H60"][usize::try_from(self.below(5)).expect("small")];
        format!("{province}.1{:04}", self.below(40))
            .parse()
            .expect("code")
    }

    async fn noted(&self, case: &CaseCode, owner: &OrgCode, seq: u32, status: u8, due: Time) {
        let lag = i64::try_from(self.below(90_000)).expect("small");
        let fact = Fact::CaseStatusNoted {
            case: case.clone(),
            owner: owner.top(),
            seq,
            status,
            at: self.store.world().now().plus_ms(-lag),
            due: Some(due),
            repeated: false,
            worked: (status == 9).then(|| 30 + self.below(5_000)),
        };
        add(&self.done.statuses, 1);
        self.record(&format!("case/{case}"), fact).await;
    }

    /// A case from filing to its end, whichever that is.
    async fn case(&self, order: u64) {
        let order = u32::try_from(self.number * 50_000 + order + 10_000).expect("small");
        let case = CaseCode::number(&self.home, self.store.world().now().date(), order);
        let (unit, subject) = (self.unit(), format!("case/{case}"));
        let online = self.below(3) > 0;
        let fact = Fact::CaseFiled {
            case: case.clone(),
            procedure: if online { "1.001193" } else { "1.000005" }
                .parse()
                .expect("code"),
            version: Digest::default(),
            channel: if online { Channel::Online } else { Channel::Counter },
            to: unit.clone(),
        };
        add(&self.done.filed, 1);
        self.record(&subject, fact).await;
        let due = self.store.world().now().plus_ms(86_400_000);
        self.noted(&case, &unit, 1, 2, due).await;
        if self.below(4) == 0 {
            self.noted(&case, &unit, 2, 5, due).await;
        }
        let dong = 1_000 * (1 + self.below(90));
        if self.below(3) == 0 {
            add(&self.done.dong, dong);
            let fact = Fact::FeePaid {
                case: case.clone(),
                payment: "p".into(),
                dong,
                to: unit.clone(),
                receipt: "r".into(),
            };
            self.record(&subject, fact).await;
        }
        match self.below(10) {
            0 => self.noted(&case, &unit, 3, 7, due).await,
            1 => self.noted(&case, &unit, 3, 3, due).await,
            2 => {} // still open
            end => {
                add(&self.done.decided, 1);
                let due = if end == 3 {
                    due.plus_ms(-90 * 86_400_000)
                } else {
                    due
                };
                self.noted(&case, &unit, 3, 9, due).await;
                self.noted(&case, &unit, 4, 10, due).await;
                add(&self.done.ratings, 1);
                let fact = Fact::CaseRated {
                    case: case.clone(),
                    owner: unit.clone(),
                    score: 1 + u8::try_from(self.below(5)).expect("small"),
                    criteria: std::collections::BTreeMap::new(),
                };
                self.record(&subject, fact).await;
            }
        }
    }

    async fn other(&self, order: u64) {
        let services = ["G01/population/person-lookup", "G15/civil-status/marriage-lookup"];
        let service = services[usize::try_from(self.below(2)).expect("small")];
        match self.below(4) {
            0 => {
                let fact = Fact::RecordRead {
                    register: "population".into(),
                    subject: Digest::default(),
                    consumer: self.unit(),
                    purpose: "p".into(),
                    legal_basis: "l".into(),
                    fields: vec![],
                    agreement: Digest::default(),
                    request: "r".into(),
                };
                self.record(&format!("read/{}", self.number), fact).await;
            }
            1 => {
                let agreement = Digest::of(format!("{}/{order}", self.number).as_bytes());
                let begun = Fact::AgreementInForce {
                    agreement,
                    provider: "G01".parse().expect("code"),
                    consumer: self.unit().top(),
                    service: service.into(),
                };
                self.record(&format!("agreement/{agreement}"), begun).await;
                if self.below(2) == 0 {
                    let ended = Fact::AgreementRevoked {
                        agreement,
                        by: "G01".parse().expect("code"),
                        reason: String::new(),
                        word: Some(agreement),
                    };
                    self.record(&format!("agreement/{agreement}"), ended).await;
                }
            }
            _ => {
                let count = 1 + self.below(40);
                add(&self.done.exchanges, count);
                let one = ExchangeCount {
                    consumer: self.unit().top(),
                    provider: "G01".parse().expect("code"),
                    service: service.into(),
                    side: "consumer".into(),
                    ok: self.below(20) > 0,
                    count,
                };
                let fact = Fact::ExchangesCounted {
                    stream: format!("evidence-{}", self.number),
                    from: 0,
                    to: count,
                    counts: vec![one],
                };
                self.record(&format!("stream/{}", self.number), fact).await;
            }
        }
    }

    async fn live(self) {
        let mut order = 0;
        while self.done.actions.load(Ordering::Relaxed) < self.actions {
            order += 1;
            self.case(order).await;
            self.other(order).await;
        }
    }
}

async fn total(router: &axum::Router, figure: &str) -> u64 {
    let request = Request::get(format!("/api/v1/indicators/{figure}?org=all"))
        .header("host", "sen.test")
        .body(Body::empty())
        .expect("a request");
    let answer = router.clone().oneshot(request).await.expect("an answer");
    assert_eq!(answer.status(), 200, "{figure}");
    let body = answer.into_body().collect().await.expect("a body").to_bytes();
    let found: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    let months = found["months"].as_array().expect("months").iter();
    let sum: f64 = months.filter_map(|m| m["value"].as_f64()).sum();
    format!("{sum:.0}").parse().expect("a whole number")
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_long_life_every_number_equals_a_rebuild_from_the_first_fact() {
    let wanted = std::env::var("SEN_SOAK_ACTIONS").ok();
    let actions = wanted.map_or(ACTIONS, |n| n.parse().expect("SEN_SOAK_ACTIONS is a number"));
    let temp = testkit::store(&[MIGRATIONS]).await;
    let home: Tenant = "G22".parse().expect("code");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/vn");
    let areas = Areas::load(&folder).expect("the pack");
    let figures = Indicators::open(Parts {
        store: temp.store.clone(),
        home: home.clone(),
        pack: Arc::new(Pack::load(&folder).expect("the pack")),
        organisations: Arc::new(Organisations::load(&folder, &areas).expect("the pack")),
    })
    .await
    .expect("opens");
    let (stop, shutdown) = tokio::sync::watch::channel(false);
    let following = tokio::spawn(figures.clone().follow(shutdown));
    let (done, world) = (Arc::new(Done::default()), kernel::World::of_this_machine());
    let began = world.now();
    let mut writers = JoinSet::new();
    for number in 0..WRITERS {
        let writer = Writer {
            store: temp.store.clone(),
            clock: Arc::clone(&temp.clock),
            home: home.clone(),
            chance: SeededChance::of(number),
            number,
            done: Arc::clone(&done),
            actions,
            step_ms: LIFE_MS / i64::try_from(actions).expect("fits"),
        };
        writers.spawn(writer.live());
    }
    while let Some(one) = writers.join_next().await {
        one.expect("a writer lives to its end");
    }
    let written = world.now();
    stop.send(true).expect("the follower listens");
    following.await.expect("the follower ends");
    temp.store.seal_facts_now().await.expect("sealed");
    while figures.fold().await.expect("folded") > 0 {}
    let folded = world.now();
    let rebuilt = figures.rebuild(&Actor::Platform).await.expect("rebuilt");
    let ended = world.now();
    assert_eq!(rebuilt.differences, Vec::<String>::new());
    assert!(rebuilt.equal && rebuilt.facts >= actions, "{rebuilt:?}");
    let (router, _) = indicators::router(figures).split_for_parts();
    let shared = Shared {
        texts: Arc::new(web::Texts::new(&[web::TEXTS, TEXTS]).expect("whole texts")),
        world: temp.store.world().clone(),
        limits: Arc::new(temp.store.limits().clone()),
        node: NodeFace::new("national", "web-nav"),
        authenticate: Arc::new(Nobody),
    };
    let router = web::present(router, shared);
    for (figure, counted) in [
        ("cases-received", &done.filed),
        ("cases-decided", &done.decided),
        ("ratings", &done.ratings),
        ("fees-dong", &done.dong),
        ("exchanges-asked", &done.exchanges),
        ("statuses-noted", &done.statuses),
    ] {
        assert_eq!(
            total(&router, figure).await,
            counted.load(Ordering::Relaxed),
            "{figure}"
        );
    }
    println!(
        "soak: {} actions, {} numbers equal; written and followed in {} ms, the rest folded in {} ms, rebuilt in {} ms",
        done.actions.load(Ordering::Relaxed),
        rebuilt.numbers,
        written.ms() - began.ms(),
        folded.ms() - written.ms(),
        ended.ms() - folded.ms(),
    );
}
