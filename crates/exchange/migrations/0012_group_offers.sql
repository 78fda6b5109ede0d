-- Agreements offered to groups: at the provider what it offers, at a member what it was told.
create table exchange_group_offers (
    tenant text not null,
    hash text not null,
    provider text not null,
    number text not null,
    document text not null,
    systems text not null,
    serial bigint not null,
    changed_at bigint not null,
    ended_at bigint,
    primary key (tenant, hash)
);
-- At the provider: which systems each organisation was told last.
create table exchange_group_told (
    tenant text not null,
    hash text not null,
    org text not null,
    systems text not null,
    serial bigint not null,
    primary key (tenant, hash, org)
);
