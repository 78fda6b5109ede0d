//! Every bound of the platform with its unit, and its default. The example configuration lists
//! the same keys; a test holds the two together.

use serde::{Deserialize, Serialize};

/// Size of one file of a pack, in bytes. No key of the configuration: a pack is read before it, and
/// checked where there is none.
pub const PACK_FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Bounds on what comes in from outside and on what the platform keeps waiting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Time for a client's first byte and whole header, in milliseconds.
    pub header_ms_max: u64,
    /// Time a kept-alive connection may stay silent, in milliseconds.
    pub idle_ms_max: u64,
    /// Time for a whole request and its answer, in milliseconds.
    pub request_ms_max: u64,
    /// Connections one listener holds, count.
    pub connections_max: usize,
    /// Connections one address may hold on one listener, count.
    pub connections_per_address_max: usize,
    /// Size of a request body outside uploads, in bytes.
    pub body_bytes_max: usize,
    /// Size of one uploaded file, in bytes.
    pub upload_bytes_max: usize,
    /// Fields of one form, count.
    pub form_fields_max: usize,
    /// Nesting of a JSON body, levels.
    pub json_depth_max: usize,
    /// Size of a body carried through the exchange, in bytes.
    pub exchange_body_bytes_max: usize,
    /// Size of such a body that is held in memory, in bytes; larger ones are encrypted on disk on their way.
    pub exchange_memory_body_bytes_max: usize,
    /// Days for which an organisation of this node agrees to keep the bodies of exchanges, count.
    pub exchange_bodies_days_max: u32,
    /// Time for a call through the exchange, both gateways and the service, in milliseconds.
    pub exchange_call_ms_max: u64,
    /// Messages that one signature of an organisation may stand for, count; 1 for partners that want a
    /// signature a message.
    pub exchange_seal_batch_max: usize,
    /// Size of the OpenAPI document of a service, in bytes.
    pub openapi_bytes_max: usize,
    /// Size of the WSDL document of a service, in bytes.
    pub wsdl_bytes_max: usize,
    /// How far the clocks of two nodes may differ before a message is refused, in milliseconds.
    pub clock_skew_ms_max: i64,
    /// Requests for an agreement that one organisation may leave unanswered at another, count.
    pub agreement_requests_max: u64,
    /// Delegations to one organisation, of others, that a provider keeps while they are in their term, count.
    pub delegations_max: u64,
    /// Changes of the directory that one organisation may leave undecided at the hub, count.
    pub directory_requests_max: u64,
    /// Combinations of member, service, agreement and result that are counted by themselves in a minute, an
    /// hour, a day or a month of traffic, count; what is beyond is counted together.
    pub traffic_series_max: u64,
    /// How old a directory snapshot may be before the node turns amber, in milliseconds.
    pub directory_age_ms_max: i64,
    /// Size of an authority's list of revoked certificates, in bytes.
    pub directory_list_bytes_max: usize,
    /// Time for an authority to give its list, in milliseconds.
    pub directory_list_ms_max: u64,
    /// How often the hub asks the authorities for their lists, in milliseconds.
    pub directory_list_every_ms: u64,
    /// Wrong passwords for one account in an hour, count.
    pub sign_in_tries_max: u32,
    /// Looks at one case without signing in, in an hour, count.
    pub track_tries_max: u32,
    /// Looks at cases without signing in from one address, in an hour, count.
    pub track_address_tries_max: u32,
    /// Codes sent to confirm where somebody is told of their cases, for one account and for one address in an hour, count.
    pub contact_codes_max: u32,
    /// Life of such a code, in milliseconds.
    pub contact_code_ms_max: i64,
    /// Wrong codes typed before a new one is needed, count.
    pub contact_code_tries_max: u32,
    /// Messages that one citizen is sent by e-mail and by SMS of what happened in one day, count; the rest is one message of
    /// the next morning.
    pub notices_day_max: u64,
    /// How long such a message is tried, in milliseconds.
    pub notice_ms_max: i64,
    /// Documents that one citizen keeps besides the results that agencies gave, count.
    pub wallet_entries_max: u64,
    /// Times that one citizen has registers asked for documents in an hour, count.
    pub wallet_asks_max: u32,
    /// Links to documents of one citizen that are open at once, count.
    pub wallet_shares_max: u64,
    /// Life of such a link, days.
    pub wallet_share_days_max: u32,
    /// Wrong codes that are typed for one link before it is locked, count.
    pub wallet_share_tries_max: u32,
    /// People who are asked to sign one draft, count.
    pub cosigners_max: usize,
    /// Mandates that one representative holds or has asked for at once, count.
    pub mandates_max: u64,
    /// Mandates that one citizen asks for in an hour, count.
    pub mandate_asks_max: u32,
    /// Looks at links from one address, in an hour, count.
    pub shared_address_tries_max: u32,
    /// Numbers of a queue that one address takes in an hour, count; a terminal in a hall has one address.
    pub queue_address_takes_max: u32,
    /// Numbers that wait at one unit, count; nobody takes another one before some are called.
    pub queue_waiting_max: u64,
    /// Appointments of one half hour at one unit, count.
    pub queue_slot_max: u64,
    /// Working days ahead for which an appointment is made, count.
    pub queue_booking_days_max: usize,
    /// Calls with one API key in a minute, count.
    pub api_key_calls_max: u32,
    /// Wrong API keys from one address in a minute, count.
    pub api_key_wrong_max: u32,
    /// API keys of one account that can be used, count.
    pub api_keys_max: u64,
    /// Life of an API key, in milliseconds.
    pub api_key_ms_max: i64,
    /// Times that one applicant changes how the result of a case is wished, count.
    pub case_post_changes_max: usize,
    /// Items of one national message about cases, count.
    pub national_items_max: usize,
    /// Life of a session without use, in milliseconds.
    pub session_idle_ms_max: i64,
    /// Life of a session however much it is used, in milliseconds.
    pub session_ms_max: i64,
    /// Size of a form that is kept for who sent it after their session had ended, in bytes.
    pub kept_form_bytes_max: u64,
    /// Life of such a form, in milliseconds.
    pub kept_form_ms_max: i64,
    /// Life of a sign-in that was begun at another node and not finished, in milliseconds.
    pub sign_in_flow_ms_max: i64,
    /// Life of a code of the identity provider before it is redeemed, in milliseconds.
    pub sign_in_code_ms_max: i64,
    /// Facts or messages one log flush may carry, count.
    pub batch_records_max: usize,
    /// Size of one log segment before the next is begun, in bytes.
    pub segment_bytes_max: u64,
    /// Rows on one page of a list, count.
    pub page_rows_max: usize,
    /// Cases of one day that a unit's register is printed or saved with, count.
    pub desk_register_rows_max: usize,
    /// Choices of the worklist that one official keeps, count.
    pub desk_filters_max: usize,
    /// Cases that an official signs or gives to a colleague in one go, count.
    pub desk_batch_max: usize,
    /// How long a register that does not answer is asked by itself about what was typed at a desk, in milliseconds.
    pub desk_check_ms_max: i64,
    /// Length of a version's text, and of its sample citizens, on their way to publication, in bytes.
    pub design_text_bytes_max: usize,
    /// Lines of a sheet of officials' accounts, count.
    pub account_sheet_rows_max: usize,
    /// Size of such a sheet, in bytes.
    pub account_sheet_bytes_max: u64,
    /// Running cases in one file of another system, count.
    pub case_import_rows_max: usize,
    /// Size of such a file, in bytes.
    pub case_import_bytes_max: u64,
    /// Cases that an owner and its portal compare in one message, count.
    pub reconcile_rows_max: usize,
    /// How long what has changed may be on its way to a portal before it counts as differing, in milliseconds.
    pub reconcile_settle_ms: i64,
    /// How long before the last comparison what has ended is compared again, in milliseconds.
    pub reconcile_back_ms: i64,
    /// Readers of a board that are told of every new figure at once, count; more see it on reload.
    pub live_streams_max: usize,
    /// Time an outbox line waits after a failure before it is tried again at first, in milliseconds.
    pub retry_first_ms: i64,
    /// The longest wait between two tries of an outbox line, in milliseconds.
    pub retry_ms_max: i64,
    /// Longest wait of a word about an agreement for the other party's node, in milliseconds: with the time of
    /// one try, a node that was away hears of a revocation within a minute.
    pub exchange_notice_retry_ms_max: i64,
    /// Tries of the way to one service that a node makes for the other party of an agreement in a minute, count.
    pub exchange_service_tries_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_ms_max: 5_000,
            idle_ms_max: 30_000,
            request_ms_max: 60_000,
            connections_max: 4_096,
            connections_per_address_max: 1_024,
            body_bytes_max: 1 << 20,
            upload_bytes_max: 10 << 20,
            form_fields_max: 500,
            json_depth_max: 64,
            exchange_body_bytes_max: 16 << 20,
            exchange_memory_body_bytes_max: 1 << 20,
            exchange_bodies_days_max: 3_650,
            exchange_call_ms_max: 15_000,
            exchange_seal_batch_max: 256,
            openapi_bytes_max: 2 << 20,
            wsdl_bytes_max: 512 << 10,
            clock_skew_ms_max: 60_000,
            agreement_requests_max: 100,
            delegations_max: 1_000,
            directory_requests_max: 100,
            traffic_series_max: 2_000,
            directory_age_ms_max: 3_600_000,
            directory_list_bytes_max: 8 << 20,
            directory_list_ms_max: 20_000,
            directory_list_every_ms: 600_000,
            sign_in_tries_max: 10,
            track_tries_max: 10,
            track_address_tries_max: 120,
            contact_codes_max: 5,
            contact_code_ms_max: 900_000,
            contact_code_tries_max: 5,
            notices_day_max: 20,
            notice_ms_max: 86_400_000,
            wallet_entries_max: 200,
            wallet_asks_max: 20,
            wallet_shares_max: 20,
            wallet_share_days_max: 30,
            wallet_share_tries_max: 5,
            cosigners_max: 5,
            mandates_max: 50,
            mandate_asks_max: 20,
            shared_address_tries_max: 120,
            queue_address_takes_max: 240,
            queue_waiting_max: 500,
            queue_slot_max: 4,
            queue_booking_days_max: 10,
            api_key_calls_max: 1_200,
            api_key_wrong_max: 60,
            api_keys_max: 20,
            api_key_ms_max: 31_622_400_000,
            case_post_changes_max: 10,
            national_items_max: 500,
            session_idle_ms_max: 1_800_000,
            session_ms_max: 43_200_000,
            kept_form_bytes_max: 64 << 10,
            kept_form_ms_max: 3_600_000,
            sign_in_flow_ms_max: 600_000,
            sign_in_code_ms_max: 60_000,
            batch_records_max: 512,
            segment_bytes_max: 64 << 20,
            page_rows_max: 50,
            desk_register_rows_max: 2_000,
            desk_filters_max: 20,
            desk_batch_max: 50,
            desk_check_ms_max: 30 * 86_400_000,
            design_text_bytes_max: 256 << 10,
            account_sheet_rows_max: 20_000,
            account_sheet_bytes_max: 8 << 20,
            case_import_rows_max: 100_000,
            case_import_bytes_max: 256 << 20,
            reconcile_rows_max: 500,
            reconcile_settle_ms: 3_600_000,
            reconcile_back_ms: 2 * 86_400_000,
            live_streams_max: 256,
            retry_first_ms: 200,
            retry_ms_max: 60_000,
            exchange_notice_retry_ms_max: 20_000,
            exchange_service_tries_max: 6,
        }
    }
}
