create table directory_local_groups (
    tenant text not null,
    code text not null,
    name text not null,
    systems text not null,
    changed_at bigint not null,
    primary key (tenant, code)
);
