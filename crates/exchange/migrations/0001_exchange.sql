create table exchange_agreements (
    tenant text not null,
    hash text not null,
    provider text not null,
    consumer text not null,
    service text not null,
    valid_from bigint not null,
    valid_to bigint not null,
    document text not null,
    revoked_at bigint,
    revoked_by text,
    revoked_why text,
    primary key (tenant, hash)
);

create index exchange_agreements_by_service on exchange_agreements (tenant, consumer, service);

create table exchange_timestamps (
    tenant text not null,
    stream text not null,
    first_position bigint not null,
    next_position bigint not null,
    checkpoint text not null,
    root text not null,
    token bytea not null,
    stamped_at bigint not null,
    primary key (tenant, stream, first_position)
);

create table exchange_requests (
    tenant text not null,
    request text not null,
    side text not null,
    stream text not null,
    log_position bigint not null,
    consumer text not null,
    service text not null,
    agreement text not null,
    issue text,
    status bigint not null,
    began bigint not null,
    primary key (tenant, request, side)
);

create index exchange_requests_by_issue on exchange_requests (tenant, issue);
create index exchange_requests_by_time on exchange_requests (tenant, began);
