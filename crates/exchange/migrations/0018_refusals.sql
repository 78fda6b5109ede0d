-- Calls that information systems were refused: found by the id that the caller was told. Bounded by minute, by count and by age.
create table exchange_refusals (
    tenant text not null,
    at bigint not null,
    id text not null,
    own text not null,
    consumer text not null,
    service text not null,
    code text not null,
    request text not null,
    times bigint not null,
    primary key (tenant, at, id)
);

create index exchange_refusals_by_id on exchange_refusals (tenant, id);
