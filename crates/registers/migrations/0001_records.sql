create table registers_records (
    tenant text not null,
    register text not null,
    record_key text not null,
    version bigint not null,
    state text not null,
    valid_from bigint not null,
    valid_to bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    source text not null,
    basis text not null,
    request text not null,
    body text not null,
    primary key (tenant, register, record_key, version)
);

create index registers_records_withdrawing on registers_records (tenant, register, record_key)
    where state = 'withdrawing' and superseded_at is null;

create table registers_links (
    tenant text not null,
    register text not null,
    link text not null,
    value text not null,
    record_key text not null,
    primary key (tenant, register, link, value, record_key)
);

create table registers_access (
    tenant text not null,
    subject text not null,
    id text not null,
    register text not null,
    at bigint not null,
    consumer text not null,
    on_behalf text not null,
    purpose text not null,
    legal_basis text not null,
    fields text not null,
    agreement text not null,
    request text not null,
    issue text,
    primary key (tenant, subject, id)
);

create table registers_done (
    tenant text not null,
    service text not null,
    consumer text not null,
    request_key text not null,
    request text not null,
    answer text not null,
    at bigint not null,
    primary key (tenant, service, consumer, request_key)
);

create table registers_loads (
    tenant text not null,
    register text not null,
    name text not null,
    records bigint not null,
    root text not null,
    at bigint not null,
    primary key (tenant, register, name)
);
