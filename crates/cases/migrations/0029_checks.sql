-- What was typed at a desk and a register would have filled at the portal: which register it is compared with, where that
-- stands, and what the register says otherwise. One row for each register of a case. `part` is that of the list: `waits`
-- for the register, `open` for an official who looks at it, `done`.
create table cases_checks (
    tenant text not null,
    code text not null,
    number bigint not null,
    unit text not null,
    part text not null,
    state text not null,
    at bigint not null,
    details text not null,
    primary key (tenant, code, number)
);

create index cases_checks_list on cases_checks (tenant, unit, part, at, code, number);
