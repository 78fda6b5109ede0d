create table obligations_owed (
    tenant text not null,
    id text not null,
    kind text not null,
    debtor text not null,
    about text not null,
    due bigint not null,
    opened bigint not null,
    state text not null,
    ended bigint,
    on_time bigint,
    reason text,
    primary key (tenant, id)
);
create index obligations_owed_by_debtor on obligations_owed (tenant, debtor, state, due);
