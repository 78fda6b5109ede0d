create table cases_moves (
    tenant text not null,
    code text not null,
    seq bigint not null,
    from_unit text not null,
    to_unit text not null,
    at bigint not null,
    moved_by text not null,
    primary key (tenant, code, seq)
);

create table cases_to_assign (
    tenant text not null,
    code text not null,
    unit text not null,
    why text not null,
    heirs text not null,
    steps text not null,
    obligation text not null,
    at bigint not null,
    primary key (tenant, code)
);
