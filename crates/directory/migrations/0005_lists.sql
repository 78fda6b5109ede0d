create table directory_lists (
    tenant text not null,
    authority text not null,
    url text not null,
    hash text not null,
    at bigint not null,
    primary key (tenant, authority)
);
