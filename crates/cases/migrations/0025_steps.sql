-- The step in which a case is, where its procedure gives that one a clock of its own: since when, and until when it
-- should be done. One row a case; what is owed to the applicant stands with the case and is never moved by it.
create table cases_steps (
    tenant text not null,
    code text not null,
    state text not null,
    since bigint not null,
    due_at bigint,
    primary key (tenant, code)
);

create index cases_steps_due on cases_steps (tenant, due_at, code) where due_at is not null;
