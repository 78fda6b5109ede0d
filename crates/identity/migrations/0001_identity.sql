create table identity_accounts (
    tenant text not null,
    id text not null,
    user_name text not null,
    password text,
    name text not null,
    subject text,
    born text,
    level bigint not null,
    roles text not null,
    unit text not null,
    opened bigint not null,
    primary key (tenant, id)
);
create unique index identity_accounts_by_user on identity_accounts (tenant, user_name);

create table identity_sessions (
    tenant text not null,
    token text not null,
    account text not null,
    level bigint not null,
    started bigint not null,
    seen bigint not null,
    primary key (tenant, token)
);
create index identity_sessions_by_seen on identity_sessions (tenant, seen);

create table identity_codes (
    tenant text not null,
    code text not null,
    client text not null,
    redirect_uri text not null,
    challenge text not null,
    nonce text not null,
    account text not null,
    level bigint not null,
    signed_in bigint not null,
    expires bigint not null,
    used bigint,
    revoked bigint not null,
    access text,
    access_expires bigint,
    primary key (tenant, code)
);
create unique index identity_codes_by_access on identity_codes (tenant, access);
create index identity_codes_by_expiry on identity_codes (tenant, expires);

create table identity_flows (
    tenant text not null,
    state text not null,
    browser text not null,
    nonce text not null,
    verifier text not null,
    next_path text not null,
    expires bigint not null,
    primary key (tenant, state)
);
create index identity_flows_by_expiry on identity_flows (tenant, expires);

create table identity_tries (
    tenant text not null,
    who text not null,
    tries text not null,
    told bigint not null,
    latest bigint not null,
    primary key (tenant, who)
);
create index identity_tries_by_latest on identity_tries (tenant, latest);
