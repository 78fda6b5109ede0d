create table directory_followed (
    tenant text not null,
    anchor text not null,
    serial bigint not null,
    hash text not null,
    at bigint not null,
    primary key (tenant, anchor, serial)
);
