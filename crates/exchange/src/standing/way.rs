//! The steps of a whole way, from the system that calls to the service that is called: what each is called,
//! and why one fails. Never how a step is tried.

use kernel::{Kind, Problem};
use web::probe::{Broken, Hop, Tried};

use crate::envelope::{Fault, Told};
use crate::offered::entry::notice;

/// A status from which on a service says that it is broken.
const BROKEN_STATUS: u16 = 500;
/// It does not know the method of the try (RFC 9110 section 15.6.2), so it is there and reads requests.
const UNKNOWN_METHOD: u16 = 501;

/// Whether the status of an answer to HEAD or GET says that the service works.
pub(crate) const fn works(status: u16) -> bool {
    status < BROKEN_STATUS || status == UNKNOWN_METHOD
}

/// A step, in the order of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WayHop {
    /// The calling system: not stopped, and able to connect as it has to.
    System,
    /// This node makes calls: no maintenance, and room for evidence.
    OwnNode,
    /// An agreement allows the call.
    Agreement,
    /// A delegation allows it in another's name.
    Delegation,
    /// Both parties stand in the directory, with seals and nodes that hold.
    Directory,
    /// The connection to the other node.
    Node(Hop),
    /// The other node takes calls, and tells.
    OtherNode,
    /// The other node holds the agreement and the delegation, too.
    OtherAgreement,
    /// The service is offered there, and not stopped.
    Offer,
    /// The service is within the node itself: nothing is between them.
    Inside,
    /// The connection from its gateway to the service.
    Service(Hop),
}

/// All steps.
const HOPS: [WayHop; 17] = [
    WayHop::System,
    WayHop::OwnNode,
    WayHop::Agreement,
    WayHop::Delegation,
    WayHop::Directory,
    WayHop::Node(Hop::Name),
    WayHop::Node(Hop::Connect),
    WayHop::Node(Hop::Tls),
    WayHop::Node(Hop::Answer),
    WayHop::OtherNode,
    WayHop::OtherAgreement,
    WayHop::Offer,
    WayHop::Inside,
    WayHop::Service(Hop::Name),
    WayHop::Service(Hop::Connect),
    WayHop::Service(Hop::Tls),
    WayHop::Service(Hop::Answer),
];

impl WayHop {
    /// Its key.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::OwnNode => "own-node",
            Self::Agreement => "agreement",
            Self::Delegation => "delegation",
            Self::Directory => "directory",
            Self::Node(Hop::Name) => "node-name",
            Self::Node(Hop::Connect) => "node-connect",
            Self::Node(Hop::Tls) => "node-tls",
            Self::Node(Hop::Answer) => "node-answer",
            Self::OtherNode => "other-node",
            Self::OtherAgreement => "other-agreement",
            Self::Offer => "offer",
            Self::Inside => "inside",
            Self::Service(Hop::Name) => "service-name",
            Self::Service(Hop::Connect) => "service-connect",
            Self::Service(Hop::Tls) => "service-tls",
            Self::Service(Hop::Answer) => "service-answer",
        }
    }

    /// Reads what [`WayHop::as_str`] wrote.
    pub(crate) fn parse(key: &str) -> Option<Self> {
        HOPS.into_iter().find(|hop| hop.as_str() == key)
    }

    /// Whether only the other node can tell of it.
    pub(crate) const fn is_over_there(self) -> bool {
        matches!(
            self,
            Self::OtherNode | Self::OtherAgreement | Self::Offer | Self::Inside | Self::Service(_)
        )
    }
}

/// Why a step failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WayFault {
    /// A step of a connection.
    Broken(Broken),
    /// What a call would be refused with.
    Refused(Box<Problem>),
}

impl WayFault {
    /// Its key.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Broken(broken) => broken.as_str(),
            Self::Refused(problem) => problem.code,
        }
    }

    /// What the other node says: a key, and what its operator lets callers know.
    pub(super) fn heard(code: &str, told: Option<Told>) -> Self {
        if let Some(broken) = Broken::ALL.into_iter().find(|broken| broken.as_str() == code) {
            return Self::Broken(broken);
        }
        let problem = match code {
            "service-disabled" => {
                // A text that no operator could have written is left out.
                let words = told.as_ref().and_then(|told| notice("notice", &told.notice).ok());
                Problem::new(Kind::Unavailable, "service-disabled").with("notice", words.unwrap_or("–"))
            }
            "way-too-often" => Problem::new(Kind::TooMany, "way-too-often"),
            code => crate::wire::problem_of(&Fault {
                code: code.to_owned(),
                status: 0,
                told,
            }),
        };
        Self::Refused(Box::new(problem))
    }

    /// What this node's operator lets callers know, for the other side.
    pub(super) fn told(&self) -> Option<Told> {
        let Self::Refused(problem) = self else { return None };
        let arg = |name: &str| problem.args.iter().find(|(key, _)| *key == name);
        Some(Told {
            notice: arg("notice")?.1.clone(),
            seconds: arg("seconds").map_or(0, |(_, seconds)| seconds.parse().unwrap_or_default()),
        })
    }
}

/// A step that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WayStep {
    /// Which.
    pub(crate) hop: WayHop,
    /// How long it took, in milliseconds.
    pub(crate) ms: i64,
    /// Why it failed; none when it did not.
    pub(crate) fault: Option<WayFault>,
}

/// A way as far as it was gone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Way {
    /// The steps up to the first that failed.
    pub(crate) steps: Vec<WayStep>,
    /// The HTTP status of the service, where there is an answer.
    pub(crate) status: Option<u16>,
}

impl Way {
    /// Notes a step that takes no time; nothing when it fails, so that nobody goes on.
    pub(super) fn on(&mut self, hop: WayHop, done: Result<(), Problem>) -> Option<()> {
        let fault = done.err().map(|problem| WayFault::Refused(Box::new(problem)));
        let good = fault.is_none();
        self.steps.push(WayStep { hop, ms: 0, fault });
        good.then_some(())
    }

    /// Notes the steps of a connection; gives the status of its answer.
    pub(super) fn along(&mut self, hop: fn(Hop) -> WayHop, tried: &Tried) -> Option<u16> {
        let steps = tried.steps.iter().map(|step| WayStep {
            hop: hop(step.hop),
            ms: step.ms,
            fault: step.broken.map(WayFault::Broken),
        });
        self.steps.extend(steps);
        tried.status
    }

    /// True when a call would have come to the service, and the service works.
    pub(crate) fn is_good(&self) -> bool {
        self.steps.iter().all(|step| step.fault.is_none()) && self.status.is_none_or(works)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_reads_back_and_the_other_node_tells_of_its_own_alone() {
        for hop in HOPS {
            assert_eq!(WayHop::parse(hop.as_str()), Some(hop));
        }
        assert_eq!(WayHop::parse("moon"), None);
        let theirs = HOPS.into_iter().filter(|hop| hop.is_over_there()).count();
        assert_eq!(theirs, 8);
    }

    #[test]
    fn a_service_works_that_answers_or_does_not_know_the_method_of_the_try() {
        for (status, good) in [
            (200, true),
            (404, true),
            (405, true),
            (501, true),
            (500, false),
            (503, false),
        ] {
            let way = Way {
                status: Some(status),
                ..Way::default()
            };
            assert_eq!((works(status), way.is_good()), (good, good), "{status}");
        }
    }

    #[test]
    fn what_the_other_node_says_is_one_of_the_faults_this_one_knows() {
        let heard = |code: &str| WayFault::heard(code, None);
        assert_eq!(heard("refused"), WayFault::Broken(Broken::Refused));
        assert_eq!(heard("agreement-revoked").code(), "agreement-revoked");
        assert_eq!(heard("<script>").code(), "gateway-fault");
        for code in ["service-disabled", "node-maintenance"] {
            for (notice, kept) in [("Nâng cấp", "Nâng cấp"), ("\u{1}", "–")] {
                let told = Told {
                    notice: notice.to_owned(),
                    seconds: 60,
                };
                let fault = WayFault::heard(code, Some(told));
                assert_eq!(fault.code(), code);
                assert_eq!(fault.told().expect("words").notice, kept);
            }
        }
    }
}
