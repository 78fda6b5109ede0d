create table identity_kept (
    tenant text not null,
    account text not null,
    path text not null,
    form bytea not null,
    kept bigint not null,
    primary key (tenant, account)
);
create index identity_kept_by_time on identity_kept (tenant, kept);
