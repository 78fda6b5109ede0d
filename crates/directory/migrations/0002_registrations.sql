create table directory_registrations (
    tenant text not null,
    side text not null,
    request text not null,
    kind text not null,
    about text not null,
    party text not null,
    state text not null,
    document text not null,
    token text not null,
    reason text not null,
    made_at bigint not null,
    changed_at bigint not null,
    number bigint not null,
    primary key (tenant, side, request)
);
create index directory_registrations_newest on directory_registrations (tenant, side, number);
create index directory_registrations_states on directory_registrations (tenant, side, state, number);
create table directory_changes (
    tenant text not null,
    number bigint not null,
    document text not null,
    serial bigint not null,
    at bigint not null,
    primary key (tenant, number)
);
create table directory_settings (
    tenant text not null,
    name text not null,
    value bigint not null,
    primary key (tenant, name)
);
