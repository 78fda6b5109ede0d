create table directory_packs (
    tenant text not null,
    file text not null,
    root text not null,
    row_count bigint not null,
    at bigint not null,
    primary key (tenant, file, root)
);
create table directory_adopted (
    tenant text not null,
    serial bigint not null,
    hash text not null,
    at bigint not null,
    primary key (tenant, serial)
);
create table directory_published (
    tenant text not null,
    serial bigint not null,
    hash text not null,
    jws text not null,
    at bigint not null,
    primary key (tenant, serial)
);
