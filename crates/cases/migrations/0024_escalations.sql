-- Who above was told that a case is late, which date it had missed then, and until when something is owed about it.
-- One row for each step of the rule; what is told of the case itself stands with the case.
create table cases_escalations (
    tenant text not null,
    code text not null,
    missed_at bigint not null,
    step bigint not null,
    told text not null,
    role text not null,
    owed_at bigint not null,
    at bigint not null,
    ended_at bigint,
    why text,
    primary key (tenant, code, missed_at, step)
);

create index cases_escalations_told on cases_escalations (tenant, told, role, owed_at, code, step) where ended_at is null;
create index cases_escalations_ended on cases_escalations (tenant, told, role, ended_at, code, step) where ended_at is not null;
create index cases_escalations_open on cases_escalations (tenant, code) where ended_at is null;
