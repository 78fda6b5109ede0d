create index cases_cases_open on cases_cases (tenant, coalesce(due_at, filed_at), code) where status not in (3, 7, 8, 10);
create index cases_cases_all on cases_cases (tenant, coalesce(due_at, filed_at), code);
create index cases_cases_unit_all on cases_cases (tenant, unit, coalesce(due_at, filed_at), code);
create index cases_cases_state on cases_cases (tenant, state, coalesce(due_at, filed_at), code);
create index cases_cases_rated_low on cases_cases (tenant, coalesce(due_at, filed_at), code) where rating <= 2;

create table cases_names (
    tenant text not null,
    code text not null,
    given text not null,
    name text not null,
    filed_at bigint not null,
    primary key (tenant, code)
);

create index cases_names_by_given on cases_names (tenant, given, filed_at, name);
