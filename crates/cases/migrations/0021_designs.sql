create table cases_designs (
    tenant text not null,
    id text not null,
    code text not null,
    stage text not null,
    document text not null,
    samples text not null,
    version text not null,
    valid_from text not null,
    authors text not null,
    note text not null,
    revision bigint not null,
    at bigint not null,
    primary key (tenant, id)
);
create index cases_designs_newest on cases_designs (tenant, at, id);
create index cases_designs_stages on cases_designs (tenant, stage, code);
create table cases_migrations (
    tenant text not null,
    id text not null,
    code text not null,
    was text not null,
    version text not null,
    states text not null,
    stage text not null,
    author text not null,
    moved bigint not null,
    refused bigint not null,
    at bigint not null,
    primary key (tenant, id)
);
create index cases_cases_versions on cases_cases (tenant, version, code);
