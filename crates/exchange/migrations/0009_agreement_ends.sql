-- For how long a word suspends an agreement: at once without a beginning, until it is resumed without an end.
alter table exchange_agreement_words add column stops_from bigint;
alter table exchange_agreement_words add column stops_to bigint;

-- When the end of an agreement's term was noted: once, and never for one that was revoked before.
alter table exchange_agreements add column expired_at bigint;
create index exchange_agreements_by_end on exchange_agreements (tenant, valid_to) where expired_at is null and revoked_at is null;

-- What a provider last said of a service under agreements: stopped, disabled, gone; and its signed word.
create table exchange_service_words (
    tenant text not null,
    service text not null,
    serial bigint not null,
    said_at bigint not null,
    heard_at bigint not null,
    document text not null,
    word text not null,
    primary key (tenant, service)
);
