-- By which one organisation acts or publishes for another: as a party to it or a provider concerned knows it.
create table exchange_delegations (
    tenant text not null,
    hash text not null,
    stage text not null,
    delegator text not null,
    agent text not null,
    number text not null,
    valid_to bigint not null,
    document text not null,
    changed_at bigint not null,
    ended_by text,
    ended_why text,
    primary key (tenant, hash)
);
