-- What a case's owner has said anew after a comparison, at the owner and at the portal: what was said before it is compared no more.
create table cases_restated (
    tenant text not null,
    code text not null,
    seq bigint not null,
    at bigint not null,
    primary key (tenant, code, seq)
);
-- Cases of which an owner and its portal say different things, as last compared.
create table cases_differences (
    tenant text not null,
    code text not null,
    what text not null,
    ours text,
    theirs text,
    since_at bigint not null,
    compared_at bigint not null,
    mending_at bigint,
    primary key (tenant, code)
);
-- How far the comparison has come, and when one was done last.
create table cases_comparisons (
    tenant text not null primary key,
    portal text not null,
    day text not null,
    part text not null,
    after_at bigint not null,
    after_code text not null,
    since_at bigint not null,
    until_at bigint not null,
    began_at bigint not null,
    compared bigint not null,
    done_at bigint,
    done_compared bigint
);
-- Both sides list what ended lately, however much has ended.
create index cases_cases_ended on cases_cases (tenant, ended_at, code) where ended_at is not null;
