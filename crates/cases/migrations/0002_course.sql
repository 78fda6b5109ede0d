create table cases_submissions (
    tenant text not null,
    code text not null,
    seq bigint not null,
    at bigint not null,
    said text not null,
    outcome text,
    primary key (tenant, code, seq)
);

alter table cases_statuses add column notice text;
alter table cases_results add column kind text not null default 'result';
alter table cases_results add column with_seq bigint not null default 0;
