-- Cases of other systems, as their owners tell of them by the national messages: never mixed with those that were filed here.
create table cases_synced (
    tenant text not null,
    code text not null,
    owner text not null,
    procedure text not null,
    digits text not null,
    status bigint not null,
    since bigint not null,
    due_at bigint,
    said text not null,
    changed_at bigint not null,
    primary key (tenant, code)
);
-- Every word that was taken about a case, once, by its digest; what came late too.
create table cases_progress (
    tenant text not null,
    code text not null,
    word text not null,
    message text not null,
    at bigint not null,
    status bigint not null,
    outcome text not null,
    said text not null,
    heard_at bigint not null,
    primary key (tenant, code, word)
);
-- How applicants rated cases of other systems, as their owners tell.
create table cases_synced_ratings (
    tenant text not null,
    code text not null,
    score bigint not null,
    said text not null,
    at bigint not null,
    primary key (tenant, code)
);
-- At an owner: the cases of which a portal that speaks the national messages has been told whole.
create table cases_told (
    tenant text not null,
    portal text not null,
    code text not null,
    at bigint not null,
    primary key (tenant, portal, code)
);
