create table exchange_agreement_talks (
    tenant text not null,
    request text not null,
    stage text not null,
    provider text not null,
    consumer text not null,
    service text not null,
    agreement text,
    asked_at bigint not null,
    document text not null,
    primary key (tenant, request)
);

create index exchange_agreement_talks_by_stage on exchange_agreement_talks (tenant, stage, asked_at);
create index exchange_agreement_talks_by_agreement on exchange_agreement_talks (tenant, agreement);

create table exchange_agreement_words (
    tenant text not null,
    subject text not null,
    kind text not null,
    party text not null,
    serial bigint not null,
    said_at bigint not null,
    heard_at bigint not null,
    reason text not null,
    word text not null,
    primary key (tenant, subject, kind, party, serial)
);
