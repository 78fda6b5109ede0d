//! Everything that can happen, as one enum, and the envelope it is written in. Facts carry ids,
//! codes, times and salted digests: never a name, an answer or a personal number.
//!
//! The format is versioned ([`FactRecord::VERSION`]); a fact once written is readable for ever, so
//! variants and fields are added, never changed or removed.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::actor::{Actor, Tenant};
use crate::codes::{CaseCode, OrgCode, ProcedureCode};
use crate::digest::{Digest, canonical_json};
use crate::time::Time;

/// One thing that happened. The one `match` over it in `indicators` has no wildcard. A variant's
/// fields stand beside those of [`FactRecord`] in one JSON object, so none may be written as `v`,
/// `tenant`, `subject`, `seq`, `at`, `actor`, `prev` or `fact`.
#[expect(missing_docs, reason = "each variant's sentence names its fields")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum Fact {
    /// A file of a pack was loaded in bulk: how many rows, and the Merkle root over them.
    PackLoaded { file: String, rows: u64, root: Digest },
    /// The hub published a directory snapshot.
    DirectoryPublished { serial: u64, hash: Digest },
    /// A node took over a directory snapshot.
    DirectoryAdopted { serial: u64, hash: Digest },
    /// A certificate stopped being good; why, stands in the directory. `reason` is empty: facts of earlier
    /// releases have the operator's words there.
    CertificateRevoked { thumbprint: Digest, reason: String },
    /// An owner put a change of its part of the directory into words and has not asked yet.
    RegistrationSaved {
        request: Digest,
        change: String,
        about: String,
    },
    /// An owner asked the hub for a change of the directory; written at both.
    RegistrationAsked {
        request: Digest,
        change: String,
        about: String,
        by: OrgCode,
    },
    /// What was put into words was dropped before the hub was asked.
    RegistrationDropped { request: Digest },
    /// The hub published what was asked for, first under this serial; written at both.
    RegistrationApproved {
        request: Digest,
        change: String,
        about: String,
        serial: u64,
    },
    /// The hub declined what was asked for; written at both.
    RegistrationDeclined {
        request: Digest,
        change: String,
        about: String,
    },
    /// The hub's operator changed the directory without a request.
    DirectoryChanged {
        change: String,
        about: String,
        serial: u64,
    },
    /// The hub's operator trusts another instance of the exchange by its anchor, first under this serial
    /// of the directory.
    InstanceTrusted {
        instance: String,
        anchor: Digest,
        reason: String,
        serial: u64,
    },
    /// The hub's operator trusts another instance no more.
    InstanceWithdrawn {
        instance: String,
        reason: String,
        serial: u64,
    },
    /// A node took over a snapshot of the directory of another instance that its hub trusts.
    DirectoryFollowed {
        instance: String,
        serial: u64,
        hash: Digest,
    },
    /// From now on the hub approves changes of systems by itself, or does so no more.
    RegistrationsAutomatic { automatic: bool },
    /// An agreement with both signatures came into force at this node.
    AgreementInForce {
        agreement: Digest,
        provider: OrgCode,
        consumer: OrgCode,
        service: String,
    },
    /// An agreement ended before its time; its party's signed word says why. `reason` is a key of the platform's
    /// own, or empty: facts of earlier releases have the party's words there.
    AgreementRevoked {
        agreement: Digest,
        by: OrgCode,
        reason: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        word: Option<Digest>,
    },
    /// An organisation asked another for an agreement; `request` names its signed word, which is owed
    /// an answer by `due` where a rule says so.
    AgreementRequested {
        request: Digest,
        provider: OrgCode,
        consumer: OrgCode,
        service: String,
        due: Option<Time>,
    },
    /// The provider signed a text for a request and offered it.
    AgreementOffered {
        request: Digest,
        agreement: Digest,
        by: OrgCode,
        word: Digest,
    },
    /// The provider refused a request; its signed word says why.
    AgreementRefused {
        request: Digest,
        by: OrgCode,
        word: Digest,
    },
    /// The consumer signed what was offered: both signatures are there.
    AgreementAccepted {
        request: Digest,
        agreement: Digest,
        by: OrgCode,
        word: Digest,
    },
    /// The consumer took its request back; its signed word says why.
    AgreementWithdrawn {
        request: Digest,
        by: OrgCode,
        word: Digest,
    },
    /// A party suspended an agreement; its signed word says why. At once without `from`, until it is
    /// resumed without `to`.
    AgreementSuspended {
        agreement: Digest,
        by: OrgCode,
        word: Digest,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Time>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<Time>,
    },
    /// The party that had suspended an agreement took that back.
    AgreementResumed {
        agreement: Digest,
        by: OrgCode,
        word: Digest,
    },
    /// The term of an agreement is over.
    AgreementExpired { agreement: Digest },
    /// A provider said how a service stands that an organisation here may call: stopped, disabled, gone.
    ServiceNoticeHeard {
        service: String,
        by: OrgCode,
        word: Digest,
    },
    /// An operator put a whole node in maintenance, or changed its notice and end: it makes and answers no
    /// call.
    NodeMaintenanceBegan {
        node: String,
        notice: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Time>,
    },
    /// A span of evidence stands in an archive file and has left the live log; `next` is the position behind
    /// its last record, `class` the retention class that held it longest.
    EvidenceLeft {
        stream: String,
        first: u64,
        next: u64,
        file: String,
        sha256: Digest,
        class: String,
    },
    /// An operator had lines of the outbox that failed tried again at once: those of a topic, or of one key of
    /// it; `lines` of them were waiting for their next try.
    OutboxRetried {
        topic: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
        lines: u64,
    },
    /// A node makes and answers calls again: an operator said so, or the end had come.
    NodeMaintenanceEnded { node: String },
    /// An operator made a local group of systems, or changed who is in it.
    GroupSaved {
        group: String,
        added: Vec<String>,
        removed: Vec<String>,
    },
    /// An operator ended a local group: nobody is in it any more.
    GroupEnded { group: String },
    /// A provider offered an agreement to each member of a group; `offer` is the text's hash. Written at
    /// the provider and at each organisation that was told.
    GroupOffered {
        offer: Digest,
        provider: OrgCode,
        group: String,
        service: String,
    },
    /// An offer to a group is not there any more, for anybody or for who was told.
    GroupOfferEnded { offer: Digest, by: OrgCode },
    /// An organisation offered another to act for it; `delegation` is the document's hash.
    DelegationOffered {
        delegation: Digest,
        delegator: OrgCode,
        agent: OrgCode,
    },
    /// Both signed: the agent acts for the delegator, as `consumer` or as `provider`.
    DelegationInForce {
        delegation: Digest,
        delegator: OrgCode,
        agent: OrgCode,
        role: String,
    },
    /// A party ended a delegation, or an offer of one; its signed word says why.
    DelegationEnded {
        delegation: Digest,
        by: OrgCode,
        word: Digest,
    },
    /// An operator registered a service behind this node; `entry` is the digest of what is said of it.
    ServiceRegistered { service: String, entry: Digest },
    /// An operator changed what is said of a service: address, time, endpoints, roots.
    ServiceChanged { service: String, entry: Digest },
    /// A service that was disabled answers again.
    ServiceEnabled { service: String, entry: Digest },
    /// A service stopped answering; callers are told why.
    ServiceDisabled { service: String, entry: Digest },
    /// From when a service may be gone for good; none when that was taken back.
    ServiceSunsetSet {
        service: String,
        sunset: Option<Time>,
        entry: Digest,
    },
    /// A stop of a service was announced, with its end where that is known.
    ServiceStopAnnounced {
        service: String,
        from: Time,
        to: Option<Time>,
        entry: Digest,
    },
    /// An announced stop of a service was taken back or ended.
    ServiceStopLifted { service: String, entry: Digest },
    /// A service was taken off the node.
    ServiceRemoved { service: String },
    /// A certificate was registered with which an information system connects.
    ClientCertificateRegistered { system: String, thumbprint: Digest },
    /// A certificate is no longer one with which an information system connects.
    ClientCertificateRemoved { system: String, thumbprint: Digest },
    /// How an information system has to connect: `http`, `https`, `mutual`, or `node` for as the node's
    /// setting says.
    ClientConnectionSet { system: String, connection: String },
    /// An account was opened, at an assurance level (0 for officials and systems).
    AccountOpened { account: String, level: u8 },
    /// Somebody signed in.
    SignedIn { account: String, level: u8 },
    /// A sign-in was refused: the reason's key.
    SignInRefused { account: String, reason: String },
    /// Somebody signed out.
    SignedOut { account: String },
    /// An API key was made in an account's name, by its id; with these roles, until then.
    ApiKeyMade {
        key: String,
        account: String,
        roles: Vec<String>,
        expires: Time,
    },
    /// An API key counts no more.
    ApiKeyRevoked { key: String, account: String },
    /// An official's account is from now on as a sheet says: its unit and roles, from when and until when it is in force.
    AccountChanged {
        account: String,
        unit: OrgCode,
        roles: Vec<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        begins: Option<Time>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ends: Option<Time>,
    },
    /// An official's account ended: nobody signs in with it any more.
    AccountEnded { account: String },
    /// The officials' accounts of a place were brought to what a sheet says, which is here as a salted digest: how many
    /// were opened, changed and ended.
    StaffSheetApplied {
        sheet: Digest,
        opened: u64,
        changed: u64,
        ended: u64,
    },
    /// Exchanges of an evidence stream were counted, positions `from` up to but not with `to`.
    ExchangesCounted {
        stream: String,
        from: u64,
        to: u64,
        counts: Vec<ExchangeCount>,
    },
    /// The body of a message was read that an agreement has kept: of which exchange, at which side
    /// (`consumer`, `provider`), which part (`request`, `answer`), what for.
    BodyRead {
        request: String,
        side: String,
        part: String,
        purpose: String,
    },
    /// The bodies that were kept until the end of a day were destroyed, with their key.
    BodiesDestroyed { until: String },
    /// A register record was read: for whom, why, which fields, under which agreement.
    RecordRead {
        register: String,
        #[serde(rename = "record")]
        subject: Digest,
        consumer: OrgCode,
        purpose: String,
        legal_basis: String,
        fields: Vec<String>,
        agreement: Digest,
        request: String,
    },
    /// A register record was written; `basis` is the case or document it rests on.
    RecordWritten {
        register: String,
        #[serde(rename = "record")]
        subject: Digest,
        version: u32,
        basis: String,
    },
    /// A register record was withdrawn by its undo.
    RecordWithdrawn {
        register: String,
        #[serde(rename = "record")]
        subject: Digest,
        version: u32,
        basis: String,
    },
    /// A person looked at what is held or was read about them.
    OwnDataViewed {
        register: String,
        #[serde(rename = "record")]
        subject: Digest,
        rows: u64,
    },
    /// A version of a procedure is here to stay: what is filed under it goes on under it.
    ProcedurePublished {
        procedure: ProcedureCode,
        version: Digest,
        from: String,
    },
    /// The text of a version on its way to publication was saved: the digest of that text.
    DesignSaved {
        design: String,
        procedure: ProcedureCode,
        document: Digest,
    },
    /// A version on its way to publication went on, or back: to `draft`, `review`, `tested`, `published`, `withdrawn`.
    DesignMoved {
        design: String,
        procedure: ProcedureCode,
        stage: String,
    },
    /// Nothing is filed under a version of a procedure any more; what runs under it goes on.
    ProcedureWithdrawn {
        procedure: ProcedureCode,
        version: Digest,
    },
    /// Somebody planned to let running cases of one version go on under another.
    MigrationPlanned {
        migration: String,
        procedure: ProcedureCode,
        was: Digest,
        version: Digest,
    },
    /// Somebody else let them go.
    MigrationStarted {
        migration: String,
        procedure: ProcedureCode,
    },
    /// A running case goes on under another version of its procedure, from a state of that one.
    CaseMigrated {
        case: CaseCode,
        was: Digest,
        version: Digest,
        state: String,
    },
    /// A form was begun.
    CaseDrafted { procedure: ProcedureCode },
    /// A draft was changed: answers, prefill or papers; never their content.
    CaseDraftChanged { part: String, digest: Digest },
    /// A case was filed; it has its code and status 1.
    CaseFiled {
        case: CaseCode,
        procedure: ProcedureCode,
        version: Digest,
        channel: Channel,
        to: OrgCode,
    },
    /// The portal's case was taken over by the agency that owns it from then on.
    CaseHandedOver { case: CaseCode, to: OrgCode },
    /// An agency took a case over from a portal; `unit` is its unit that handles it.
    CaseReceived {
        case: CaseCode,
        procedure: ProcedureCode,
        version: Digest,
        channel: Channel,
        from: OrgCode,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unit: Option<OrgCode>,
    },
    /// A case was accepted: the clock starts, the result is owed by `due`.
    CaseAccepted {
        case: CaseCode,
        due: Time,
        term_minutes: i64,
    },
    /// An officer proposed an outcome.
    CaseProposed { case: CaseCode, outcome: Outcome },
    /// The act was entered in the register the procedure names.
    CaseActEntered {
        case: CaseCode,
        register: String,
        number: String,
    },
    /// The act that the result repeats was found in the register the procedure names.
    CaseActFound {
        case: CaseCode,
        register: String,
        number: String,
    },
    /// The entered act was taken back.
    CaseActWithdrawn {
        case: CaseCode,
        register: String,
        number: String,
    },
    /// The proposal was sent back to the officer.
    CaseSentBack { case: CaseCode },
    /// The case was decided; `due` is what it was owed by, `worked` the working minutes that the agency
    /// used for it, without its waits for the applicant (Decision 766/QĐ-TTg); none for one never accepted.
    CaseDecided {
        case: CaseCode,
        outcome: Outcome,
        due: Time,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        worked: Option<u64>,
    },
    /// The desk did not take the case in; the refusal slip says why.
    CaseDeclined { case: CaseCode, slip: String },
    /// The applicant was asked, once and in full, for what is missing; `slip` is the document that
    /// says so. What is answered after `until` is too late.
    CaseSupplementAsked {
        case: CaseCode,
        slip: String,
        items: u32,
        until: Time,
    },
    /// The applicant gave what was asked for, and the term starts anew where the law says so.
    CaseSupplemented {
        case: CaseCode,
        papers: u32,
        due: Option<Time>,
    },
    /// The draft of the result went to the applicant, who may answer until then.
    CaseResultDraftSent {
        case: CaseCode,
        draft: Digest,
        until: Time,
    },
    /// What came of the draft of the result; `due` when the result is owed later because of it.
    CaseResultDraftAnswered {
        case: CaseCode,
        answer: DraftAnswer,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due: Option<Time>,
    },
    /// The result was signed; it is given once the clerk has added the agency's signature.
    CaseSigned { case: CaseCode, document: String },
    /// The applicant sent something about a running case: the `submission`-th, of a kind such as
    /// `supplement`, `draft-answer`, `withdrawal`, `rating`.
    CaseSubmissionMade {
        case: CaseCode,
        submission: u32,
        kind: String,
    },
    /// The applicant took the case back.
    CaseWithdrawn { case: CaseCode },
    /// The agency stopped handling a case without a result; `notice` is the document that says why.
    CaseStopped { case: CaseCode, notice: String },
    /// The applicant was asked to pay what became known to be owed while the case is handled, until then; `charge`
    /// is its number within the case, `notice` the document that says so. `counts` where the agency's time runs on.
    CaseChargeAsked {
        case: CaseCode,
        charge: u32,
        dong: u64,
        notice: String,
        until: Time,
        counts: bool,
    },
    /// It was paid, at the bank or at the desk, and the case goes on; `due` is what its result is owed by then.
    CaseChargePaid {
        case: CaseCode,
        charge: u32,
        dong: u64,
        due: Option<Time>,
    },
    /// The originals that were kept with a case went back to its applicant: how many papers.
    CaseOriginalsReturned { case: CaseCode, papers: u32 },
    /// Somebody looked at the register of the cases that a unit took in on a day, which names the applicants: how
    /// many cases.
    CaseRegisterViewed { unit: OrgCode, day: String, rows: u64 },
    /// An official kept a choice of the worklist under a name of theirs.
    DeskFilterSaved { account: String, filter: String },
    /// An official dropped a choice that was kept.
    DeskFilterDropped { account: String, filter: String },
    /// Somebody took a number at a unit; nobody knows who.
    TicketTaken { unit: OrgCode, day: String, number: u64 },
    /// A desk called a number. What its place is called stands in the row: those are somebody's own words.
    TicketCalled { unit: OrgCode, day: String, number: u64 },
    /// Whoever held a number was served (`served`), or was not there (`missed`).
    TicketEnded {
        unit: OrgCode,
        day: String,
        number: u64,
        outcome: String,
    },
    /// Somebody booked a half hour at a unit, from a minute of a day on; nobody knows who.
    AppointmentMade { unit: OrgCode, day: String, minute: i64 },
    /// A booked half hour was given back (`cancelled`), or its holder came (`arrived`).
    AppointmentEnded {
        unit: OrgCode,
        day: String,
        minute: i64,
        outcome: String,
    },
    /// The agency said before the due date that it will miss it, and by when the result is owed now.
    CaseApologised {
        case: CaseCode,
        letter: String,
        due: Time,
    },
    /// The calendar was announced otherwise while the case ran, and its due date was counted anew: by when
    /// the result is promised now, and by when it is judged.
    CaseRecounted {
        case: CaseCode,
        due: Time,
        owed_by: Time,
    },
    /// A fee is owed for a case, in dong, to the agency that handles it.
    FeeAsked {
        case: CaseCode,
        payment: String,
        dong: u64,
        to: OrgCode,
    },
    /// The bank was asked to collect a fee; it can be paid until then.
    FeeOrdered {
        case: CaseCode,
        payment: String,
        until: Time,
    },
    /// The fee arrived; `receipt` is the money receipt.
    FeePaid {
        case: CaseCode,
        payment: String,
        dong: u64,
        to: OrgCode,
        receipt: String,
    },
    /// Money came for a fee that is not owed any more: it goes back to who paid.
    FeeToReturn {
        case: CaseCode,
        payment: String,
        dong: u64,
        to: OrgCode,
    },
    /// Another agency did its part once the result was there.
    CaseFollowedUp {
        case: CaseCode,
        follow_up: String,
        service: String,
    },
    /// Another agency refused to do its part; what comes after it waits.
    CaseFollowUpFailed {
        case: CaseCode,
        follow_up: String,
        service: String,
    },
    /// An officer had it asked once more.
    CaseFollowUpAgain { case: CaseCode, follow_up: String },
    /// The applicant rated how the case was handled, 1 (very dissatisfied) to 5 (very satisfied), and gave points by the
    /// numbers of the day's criteria.
    CaseRated {
        case: CaseCode,
        owner: OrgCode,
        score: u8,
        #[serde(
            default,
            skip_serializing_if = "BTreeMap::is_empty",
            deserialize_with = "points_by_number"
        )]
        criteria: BTreeMap<u8, u8>,
    },
    /// A unit was asked for its opinion about a case: the `consult`-th question, owed an answer by `due`.
    CaseConsulted {
        case: CaseCode,
        consult: u32,
        unit: OrgCode,
        due: Time,
    },
    /// The unit gave its opinion.
    CaseConsultAnswered {
        case: CaseCode,
        consult: u32,
        late: bool,
    },
    /// No answer is wanted any more; `why` is a key of the platform's own.
    CaseConsultEnded {
        case: CaseCode,
        consult: u32,
        why: String,
    },
    /// An opinion was not there in time, and who leads the asked unit is told.
    CaseConsultLate {
        case: CaseCode,
        consult: u32,
        unit: OrgCode,
    },
    /// The asked unit has ended, and who took over is asked in its place.
    CaseConsultMoved {
        case: CaseCode,
        consult: u32,
        from: OrgCode,
        to: OrgCode,
    },
    /// A running case of another system goes on here, from a state of its version; when it was taken in there and what was
    /// promised, once it had been.
    CaseImported {
        case: CaseCode,
        from: String,
        state: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        accepted_at: Option<Time>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due: Option<Time>,
    },
    /// Running cases of another system were taken over in one write: how many, and the Merkle root over their codes.
    CasesImported { from: String, rows: u64, root: Digest },
    /// A late case was told to who is above: the `step`-th of the rule, to a role of a unit, by when something has to be
    /// done about it.
    CaseEscalated {
        case: CaseCode,
        step: u32,
        to: OrgCode,
        role: String,
        owed_by: Time,
    },
    /// What was told of a late case is over: `decided`, `apologised`, `ended`, `moved`.
    CaseEscalationEnded { case: CaseCode, step: u32, why: String },
    /// What was typed at a desk was compared with a register: the `check`-th of the case, how it stands now (`agrees`,
    /// `differs`, `none`, `refused`, `unanswered`, `dropped`), and how many fields differ. Never what they say.
    CaseChecked {
        case: CaseCode,
        check: u32,
        service: String,
        state: String,
        fields: u32,
    },
    /// An official had a register asked once more.
    CaseCheckAgain { case: CaseCode, check: u32 },
    /// An official looked at what a register says otherwise, and noted what came of it.
    CaseCheckSettled { case: CaseCode, check: u32 },
    /// An open case was laid on an official's desk, by its account: taken, given, or handed over.
    CaseAssigned { case: CaseCode, to: String },
    /// A running case went to the unit that took over the one that handled it.
    CaseMoved {
        case: CaseCode,
        from: OrgCode,
        to: OrgCode,
    },
    /// The result was given to the applicant.
    CaseReturned { case: CaseCode },
    /// The applicant wishes the result by post, or no longer. Never the address.
    CasePostWished { case: CaseCode, by_post: bool },
    /// The result was handed over to the post, under the number of its parcel.
    CasePosted { case: CaseCode, parcel: String },
    /// What became of a parcel on a day: `delivered`, `came-back` to the desk, or `given` there.
    CaseParcelEnded {
        case: CaseCode,
        parcel: String,
        outcome: String,
        day: String,
    },
    /// Somebody looked at the results of a unit that go by post, with names and addresses: how many of a stage.
    CasePostListViewed { unit: OrgCode, stage: String, rows: u64 },
    /// The answer to a case was published for everybody to read, under a number that does not name the case.
    CaseAnswerPublished { case: CaseCode, number: String },
    /// A published answer was taken down; its number and why stay to be read.
    CaseAnswerUnpublished { case: CaseCode, number: String },
    /// A citizen asked to be told of their cases by e-mail or SMS, confirmed the address, changed of what, or took it
    /// back. Never the address.
    ContactChanged { channel: String, change: String },
    /// A citizen was told of a step of a case outside the portal; of many steps at once without a case.
    NoticeSent {
        case: Option<CaseCode>,
        channel: String,
        notice: String,
    },
    /// What a citizen should have been told outside the portal could not be delivered; why, by a problem's key.
    NoticeFailed {
        case: Option<CaseCode>,
        channel: String,
        notice: String,
        why: String,
    },
    /// A citizen marked so many entries of their inbox as read.
    NoticesRead { count: u64 },
    /// A document is among a citizen's own: a result that was given (`issued`), a file of theirs (`uploaded`), what a
    /// register said (`register`).
    WalletKept { entry: String, kind: String },
    /// A document was taken from among a citizen's own, with its links.
    WalletRemoved { entry: String },
    /// A document of a citizen was opened: by its `owner`, or for a form (`draft/…`) or by a link (`share/…`).
    WalletUsed { entry: String, by: String },
    /// Somebody was asked to sign a draft too: who, as a salted digest of their personal number.
    DraftCosignAsked { who: Digest },
    /// Somebody is asked no more to sign a draft.
    DraftCosignEnded { who: Digest },
    /// Who was asked to sign a draft looked at it.
    DraftCosignViewed { who: Digest },
    /// Who was asked signed a revision of a draft; the next one undoes that.
    DraftCosigned { who: Digest, revision: u64 },
    /// Who was asked to sign a draft refused.
    DraftCosignRefused { who: Digest },
    /// Somebody says that they act for another: a `child`, a `company` or a `person`; shown by what a `register` says, by the
    /// other's own `word`, or by a `paper`. Never who.
    MandateAsked {
        mandate: String,
        whom: String,
        proof: String,
    },
    /// A mandate was confirmed: by the represented person, or by what a register says.
    MandateConfirmed { mandate: String },
    /// The represented person refused a mandate.
    MandateRefused { mandate: String },
    /// A mandate was ended before its last day, by the `represented` or by the `representative`.
    MandateRevoked { mandate: String, by: String },
    /// A mandate ended because a register does not say any more what it rests on; why, by a problem's key.
    MandateEnded { mandate: String, why: String },
    /// Somebody looked at the paper of a mandate.
    MandateViewed { mandate: String },
    /// A case was filed for somebody else under a mandate.
    CaseFiledFor { case: CaseCode, mandate: String },
    /// A citizen made a link to a document of theirs; it opens with its code until then.
    WalletShared {
        entry: String,
        share: String,
        until: Time,
    },
    /// A citizen ended a link before its time.
    WalletShareEnded { entry: String, share: String },
    /// The owner's status of a case was noted at the portal: the `seq`-th change of that case.
    CaseStatusNoted {
        case: CaseCode,
        owner: OrgCode,
        #[serde(rename = "status_seq")]
        seq: u32,
        status: u8,
        #[serde(rename = "status_at")]
        at: Time,
        due: Option<Time>,
        /// True when the status is the one before: only something was told with it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        repeated: bool,
        /// With the status of a decided case: what [`Fact::CaseDecided`] says at its owner.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        worked: Option<u64>,
    },
    /// Somebody had an owner's cases compared with what its portal shows of them.
    CasesCompareAsked { portal: OrgCode },
    /// An owner's cases were compared with what its portal shows of them: how many, and how many of all differ now.
    CasesCompared {
        portal: OrgCode,
        compared: u64,
        differing: u64,
    },
    /// Somebody had the portal told again of a case of which it showed something else: `missing-there`, `status`, `due`,
    /// `owner`, `steps`.
    CaseMended { case: CaseCode, what: String },
    /// An owner told the portal of so many cases, or changes of them, in one national message; the Merkle root
    /// over those that were kept.
    CasesSynced {
        owner: OrgCode,
        message: String,
        items: u64,
        root: Digest,
    },
    /// An owner told a portal of the figures of a month, of itself and its units; the Merkle root over the items.
    StatisticsTold {
        portal: OrgCode,
        month: String,
        items: u64,
        root: Digest,
    },
    /// Somebody looked at a case.
    CaseViewed { case: CaseCode },
    /// Somebody searched a desk's cases by a name, here as a salted digest, and saw so many.
    CasesSearched { by: Digest, found: u64 },
    /// A document was numbered, rendered and signed.
    DocumentIssued {
        document: String,
        kind: String,
        number: String,
        digest: Digest,
    },
    /// The agency's signature was added to a signed document.
    DocumentSealed { document: String, digest: Digest },
    /// A document was given out.
    DocumentDelivered { document: String, to: String },
    /// Something is owed: what kind, by whom, by when.
    ObligationOpened {
        obligation: String,
        kind: String,
        debtor: OrgCode,
        due: Time,
    },
    /// What was owed was done.
    ObligationMet { obligation: String, due: Time },
    /// What was owed is no longer owed.
    ObligationLifted { obligation: String, reason: String },
    /// Figures were rebuilt from the first fact and compared with those in use.
    IndicatorsRebuilt { facts: u64, equal: bool },
    /// Somebody looked at the facts behind a figure of an organisation and month: how many rows.
    FigureRowsViewed {
        figure: String,
        org: String,
        period: String,
        rows: u64,
    },
}

/// How a case was filed (the portal's `HinhThuc`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// trực tiếp
    Counter,
    /// trực tuyến
    Online,
    /// bưu chính
    Post,
}

/// What an applicant said to the draft of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DraftAnswer {
    /// It is right.
    Agreed,
    /// Nothing until the term ended, which counts as consent.
    Silent,
    /// Something in it is wrong.
    Objected,
}

/// How a case ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// What was asked is given.
    Granted,
    /// What was asked is refused, with a reason.
    Refused,
}

/// A number of exchanges that have member, service, side and result in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeCount {
    /// The other member's or the own organisation's code, as the record names the consumer.
    pub consumer: OrgCode,
    /// The providing organisation.
    pub provider: OrgCode,
    /// The service's code.
    pub service: String,
    /// `consumer` or `provider`: the side this node was on.
    pub side: String,
    /// True when the service answered with a 2xx status.
    pub ok: bool,
    /// How many.
    pub count: u64,
}

/// Reads points by number. What has a tag is read through a buffer, where the keys of an object are text.
///
/// # Errors
/// When a key is no number up to 255.
pub fn points_by_number<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<u8, u8>, D::Error> {
    let read = |(number, points): (String, u8)| {
        let number = number.parse::<u8>().map_err(serde::de::Error::custom);
        number.map(|number| (number, points))
    };
    let texts = BTreeMap::<String, u8>::deserialize(from)?;
    texts.into_iter().map(read).collect()
}

/// A fact in its envelope, as stored and as appended to the log (one canonical JSON text).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactRecord {
    /// The format's version.
    pub v: u32,
    /// Whose fact it is.
    pub tenant: Tenant,
    /// What it is about, `case/G22-261121-0001`; never a personal number.
    pub subject: String,
    /// The order within the subject, from 1.
    pub seq: u64,
    /// When it was recorded.
    pub at: Time,
    /// Who did it.
    pub actor: Actor,
    /// What happened.
    #[serde(flatten)]
    pub fact: Fact,
    /// The digest of the subject's fact before this one; zeros for the first.
    pub prev: Digest,
}

impl FactRecord {
    /// The version this code writes.
    pub const VERSION: u32 = 1;

    /// The canonical JSON of the record: what is stored, hashed and logged.
    ///
    /// # Errors
    /// Never for a fact this crate can express; the error is serde's.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        canonical_json(self)
    }

    /// The digest the subject's next fact names as `prev`.
    #[must_use]
    pub fn digest(json: &str) -> Digest {
        Digest::of(json.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The golden form: if this changes, logs of an older release no longer replay.
    #[test]
    fn a_fact_written_by_the_first_release_is_read_for_ever() {
        let json = r#"{"actor":"official:a1","at":1795226400000,"case":"G22-261121-0001","due":1795312800000,"fact":"case-accepted","prev":"0000000000000000000000000000000000000000000000000000000000000000","seq":3,"subject":"case/G22-261121-0001","tenant":"H56","term_minutes":480,"v":1}"#;
        let record: FactRecord = serde_json::from_str(json).expect("the first release's form");
        assert_eq!(record.to_json().expect("json"), json);
        assert!(matches!(
            record.fact,
            Fact::CaseAccepted {
                term_minutes: 480,
                ..
            }
        ));
    }

    #[test]
    fn a_revocation_written_with_its_reason_is_read_for_ever() {
        let zeros = "0".repeat(64);
        let json = format!(
            r#"{{"actor":"official:a1","agreement":"{zeros}","at":1,"by":"G01","fact":"agreement-revoked","prev":"{zeros}","reason":"vi phạm","seq":2,"subject":"agreement/{zeros}","tenant":"G01","v":1}}"#
        );
        let record: FactRecord = serde_json::from_str(&json).expect("the earlier form");
        assert!(matches!(&record.fact, Fact::AgreementRevoked { word: None, .. }));
        assert_eq!(record.to_json().expect("json"), json);
    }

    #[test]
    fn a_rating_with_and_without_criteria_is_read_for_ever() {
        let zeros = "0".repeat(64);
        let json = |criteria: &str| {
            format!(
                r#"{{"actor":"citizen:a1","at":1,"case":"G22-261121-0001",{criteria}"fact":"case-rated","owner":"H56","prev":"{zeros}","score":4,"seq":2,"subject":"case/G22-261121-0001","tenant":"G22","v":1}}"#
            )
        };
        for (text, count) in [("", 0), (r#""criteria":{"1":2,"7":0},"#, 2)] {
            let record: FactRecord = serde_json::from_str(&json(text)).expect("the written form");
            assert!(matches!(&record.fact, Fact::CaseRated { criteria, .. } if criteria.len() == count));
            assert_eq!(record.to_json().expect("json"), json(text));
        }
        assert!(serde_json::from_str::<FactRecord>(&json(r#""criteria":{"x":2},"#)).is_err());
    }

    #[test]
    fn no_field_of_a_fact_hides_one_of_its_envelope() {
        let code = |text: &str| text.parse().expect("a code");
        let digest = Digest::of(b"x");
        let facts = [
            Fact::RecordRead {
                register: "person".into(),
                subject: digest,
                consumer: code("G22"),
                purpose: "p".into(),
                legal_basis: "l".into(),
                fields: vec![],
                agreement: digest,
                request: "r".into(),
            },
            Fact::RecordWritten {
                register: "person".into(),
                subject: digest,
                version: 1,
                basis: "b".into(),
            },
            Fact::RecordWithdrawn {
                register: "person".into(),
                subject: digest,
                version: 2,
                basis: "b".into(),
            },
            Fact::OwnDataViewed {
                register: "person".into(),
                subject: digest,
                rows: 1,
            },
            Fact::CaseStatusNoted {
                case: "G22-261121-0001".parse().expect("a code"),
                owner: code("H56"),
                seq: 7,
                status: 2,
                at: Time(5),
                due: None,
                repeated: false,
                worked: None,
            },
        ];
        for fact in facts {
            let record = FactRecord {
                v: FactRecord::VERSION,
                tenant: code("G01"),
                subject: "s/1".into(),
                seq: 3,
                at: Time(9),
                actor: Actor::Platform,
                fact,
                prev: Digest::default(),
            };
            let json = record.to_json().expect("json");
            assert_eq!(
                serde_json::from_str::<FactRecord>(&json).expect("reads back"),
                record
            );
        }
    }
}
