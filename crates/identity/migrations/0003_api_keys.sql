create table identity_api_keys (
    tenant text not null,
    id text not null,
    digest text not null,
    account text not null,
    name text not null,
    roles text not null,
    made bigint not null,
    expires bigint not null,
    revoked bigint,
    used bigint,
    primary key (tenant, id)
);
create unique index identity_api_keys_by_digest on identity_api_keys (tenant, digest);
create index identity_api_keys_by_account on identity_api_keys (tenant, account);
