create table cases_versions (
    tenant text not null,
    digest text not null,
    code text not null,
    valid_from text not null,
    document text not null,
    at bigint not null,
    primary key (tenant, digest)
);
