create table cases_drafts (
    tenant text not null,
    id text not null,
    account text not null,
    procedure text not null,
    version text not null,
    answers text not null,
    prefilled text not null,
    revision bigint not null,
    filed_as text,
    created_at bigint not null,
    changed_at bigint not null,
    primary key (tenant, id)
);

create index cases_drafts_by_account on cases_drafts (tenant, account, changed_at);

create table cases_papers (
    tenant text not null,
    holder text not null,
    code text not null,
    name text not null,
    media text not null,
    size bigint not null,
    digest text not null,
    primary key (tenant, holder, code)
);

create table cases_cases (
    tenant text not null,
    code text not null,
    procedure text not null,
    version text not null,
    unit text not null,
    channel text not null,
    applicant text not null,
    account text not null,
    answers text not null,
    state text not null,
    status bigint not null,
    revision bigint not null,
    filed_at bigint not null,
    due_at bigint,
    ended_at bigint,
    details text not null,
    primary key (tenant, code)
);

create index cases_cases_by_account on cases_cases (tenant, account, filed_at);
create index cases_cases_by_unit on cases_cases (tenant, unit, state, due_at);

create table cases_statuses (
    tenant text not null,
    code text not null,
    seq bigint not null,
    status bigint not null,
    at bigint not null,
    due_at bigint,
    primary key (tenant, code, seq)
);

create table cases_results (
    tenant text not null,
    code text not null,
    document text not null,
    name text not null,
    number text not null,
    digest text not null,
    primary key (tenant, code, document)
);
