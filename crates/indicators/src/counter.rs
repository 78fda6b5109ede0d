//! The counters that figures are made of, by name. What moves them is [`crate::project`]'s to say.

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// The counters that figures are made of.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Counter {
            $($(#[$doc])* $name,)*
        }

        impl Counter {
            /// All counters.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The counter's name in rows and answers.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)*
                }
            }
        }
    };
}

counters! {
    /// Cases received, by the organisation that handles them; part: the channel.
    CasesReceived = "cases-received",
    /// Of these, filed online; part: the level of the online service (`full`, `partial`, `unstated`).
    CasesOnline = "cases-online",
    /// Cases decided; part: the outcome, `unsaid` where only the status is known.
    CasesDecided = "cases-decided",
    /// Of these, not after their due date.
    CasesOnTime = "cases-on-time",
    /// Cases not taken in.
    CasesDeclined = "cases-declined",
    /// Cases taken back by the applicant.
    CasesWithdrawn = "cases-withdrawn",
    /// Cases stopped by the agency.
    CasesStopped = "cases-stopped",
    /// Running cases taken over from another unit.
    CasesMovedIn = "cases-moved-in",
    /// Running cases given to another unit.
    CasesMovedOut = "cases-moved-out",
    /// Results given to applicants.
    CasesReturned = "cases-returned",
    /// Decided cases whose acceptance is known.
    CasesTimed = "cases-timed",
    /// Minutes from acceptance to decision of these, without the waits for missing papers.
    HandlingMinutes = "handling-minutes",
    /// Times that applicants were asked for missing papers.
    SupplementsAsked = "supplements-asked",
    /// Letters that say a due date will be missed.
    Apologies = "apologies",
    /// Times that a late case was told to who is above.
    Escalations = "escalations",
    /// Fees paid, count.
    FeesPaid = "fees-paid",
    /// Fees paid, dong.
    FeesDong = "fees-dong",
    /// Ratings by applicants; part: the score 1 to 5.
    Ratings = "ratings",
    /// Statuses noted at the portal, by the organisation that sent them.
    StatusesNoted = "statuses-noted",
    /// The same, by how long they were under way; part: the upper bound in seconds.
    StatusLag = "status-lag",
    /// Exchanges asked for, by the asking member; part: the service.
    ExchangesAsked = "exchanges-asked",
    /// Exchanges answered, by the answering member; part: the service.
    ExchangesAnswered = "exchanges-answered",
    /// Of both, those without a good answer; part: the service.
    ExchangesFailed = "exchanges-failed",
    /// Good exchanges seen on either side, by the asking member; part: the service.
    ServiceUses = "service-uses",
    /// Agreements that came into force, by the asking member; part: the service.
    AgreementsBegun = "agreements-begun",
    /// Agreements that ended before their time, by the asking member; part: the service.
    AgreementsEnded = "agreements-ended",
    /// Register records read, by the organisation that read; part: the register.
    RecordsRead = "records-read",
    /// Documents issued; part: the kind.
    DocumentsIssued = "documents-issued",
}

impl Counter {
    /// The counter of a name.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|c| c.code() == code)
    }

    /// True for those that are also counted by minute and second.
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, Self::ExchangesAsked | Self::ExchangesAnswered)
    }

    /// True for those whose facts can be listed; the others move together with one of these.
    #[must_use]
    pub const fn has_rows(self) -> bool {
        !matches!(
            self,
            Self::HandlingMinutes | Self::FeesDong | Self::StatusLag | Self::ServiceUses
        )
    }
}

/// The upper bounds of the classes of lag, in seconds; what is longer is `over`.
pub const LAG_SECONDS: [i64; 12] = [1, 2, 5, 10, 30, 60, 300, 900, 3_600, 21_600, 86_400, 604_800];

/// The class of a lag.
#[must_use]
pub fn lag_class(ms: i64) -> String {
    LAG_SECONDS
        .iter()
        .find(|bound| ms <= **bound * 1_000)
        .map_or_else(|| "over".to_owned(), i64::to_string)
}
