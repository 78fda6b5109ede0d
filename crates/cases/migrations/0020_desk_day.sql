-- The register of a unit reads what came in on a day: without this it would walk over all that ever came in.
create index cases_cases_unit_filed on cases_cases (tenant, unit, filed_at, code);

-- What an official chooses on the worklist again and again, under a name of their own.
create table cases_filters (
    tenant text not null,
    account text not null,
    id text not null,
    name text not null,
    part text not null,
    at bigint not null,
    primary key (tenant, account, id)
);

-- The numbers that were taken at a unit on a day, and what became of them. Nobody knows who holds one.
create table cases_tickets (
    tenant text not null,
    unit text not null,
    day text not null,
    number bigint not null,
    state text not null,
    taken_at bigint not null,
    called_at bigint,
    ended_at bigint,
    desk text not null default '',
    called_by text not null default '',
    booked bigint not null default 0,
    primary key (tenant, unit, day, number)
);

create index cases_tickets_by_state on cases_tickets (tenant, unit, day, state, number);

-- Half hours that were booked at a unit. Nobody knows by whom: who has the id has the appointment. A place is one of those
-- that a half hour has; what was given back has none.
create table cases_appointments (
    tenant text not null,
    id text not null,
    unit text not null,
    day text not null,
    minute bigint not null,
    place bigint,
    state text not null,
    number bigint,
    made_at bigint not null,
    primary key (tenant, id)
);

create unique index cases_appointments_by_slot on cases_appointments (tenant, unit, day, minute, place);
