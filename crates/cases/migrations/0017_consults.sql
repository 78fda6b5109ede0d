-- Which opinions a unit is asked for. What was asked and answered stands with the case; these rows are there to be
-- looked through: by the unit that is asked, and by the job that sees to what is late.
create table cases_consults (
    tenant text not null,
    code text not null,
    number bigint not null,
    unit text not null,
    due_at bigint not null,
    ended_at bigint,
    told_at bigint,
    primary key (tenant, code, number)
);

create index cases_consults_asked on cases_consults (tenant, unit, due_at, code, number) where ended_at is null;
create index cases_consults_ended on cases_consults (tenant, unit, ended_at, code, number) where ended_at is not null;
create index cases_consults_due on cases_consults (tenant, due_at, code, number) where ended_at is null;
