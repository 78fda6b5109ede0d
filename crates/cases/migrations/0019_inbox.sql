-- What a citizen is told of each step of their cases; written with the step itself.
create table cases_inbox (
    tenant text not null,
    account text not null,
    id text not null,
    code text not null,
    at bigint not null,
    step text not null,
    read_at bigint,
    primary key (tenant, account, id)
);
create index cases_inbox_by_time on cases_inbox (tenant, account, at, id);
create index cases_inbox_unread on cases_inbox (tenant, account) where read_at is null;

-- Where a citizen is told besides: an address of theirs by each way, and the one that waits for its code.
create table cases_contacts (
    tenant text not null,
    account text not null,
    way text not null,
    address text,
    confirmed_at bigint,
    pending text,
    code text,
    code_until bigint,
    tries bigint not null,
    scope text not null,
    lang text not null,
    changed_at bigint not null,
    primary key (tenant, account, way)
);

-- Each use of such an address and what came of it; without the address.
create table cases_tellings (
    tenant text not null,
    account text not null,
    way text not null,
    id text not null,
    kind text not null,
    code text,
    at bigint not null,
    state text not null,
    done_at bigint,
    why text,
    primary key (tenant, account, way, id)
);
create index cases_tellings_by_time on cases_tellings (tenant, account, at);
