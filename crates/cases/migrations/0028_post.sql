-- Answers that another system's agency published and told of by a national message have no case here: whose word it was.
alter table cases_published add column heard_from text not null default '';

-- Words of answers that were taken down do not stay with the statuses that told them.
update cases_statuses set notice = null
where notice like '%"kind":"answer-published"%' and exists (
    select 1 from cases_published p
    where p.tenant = cases_statuses.tenant and p.code = cases_statuses.code and p.withdrawn_at is not null
);

-- When a case of another system began and ended, as far as its owner said: what a month is counted by.
alter table cases_synced add column began_at bigint;
alter table cases_synced add column ended_at bigint;
update cases_synced set
    began_at = (
        select min(p.at) from cases_progress p where p.tenant = cases_synced.tenant and p.code = cases_synced.code
    ),
    ended_at = (
        select min(p.at) from cases_progress p
        where p.tenant = cases_synced.tenant and p.code = cases_synced.code and p.status in (3, 7, 8, 9, 10)
            and p.outcome in ('begun', 'moved')
    );
create index cases_synced_began on cases_synced (tenant, owner, began_at);
create index cases_synced_open on cases_synced (tenant, owner, began_at) where ended_at is null;
create index cases_synced_ended on cases_synced (tenant, owner, ended_at) where ended_at is not null;
-- A month counts what ended in it and what is still open, however much has ended before.
create index cases_cases_unit_going on cases_cases (tenant, unit, filed_at) where ended_at is null;
create index cases_cases_unit_ended on cases_cases (tenant, unit, ended_at) where ended_at is not null;

-- At a portal: the figures of a month as an owner told them, and what the portal itself had counted then.
create table cases_statistics (
    tenant text not null,
    month text not null,
    unit text not null,
    sender text not null,
    received bigint not null,
    carried bigint not null,
    to_handle bigint not null,
    handled bigint not null,
    on_time bigint not null,
    own_received bigint not null,
    own_carried bigint not null,
    own_handled bigint not null,
    own_on_time bigint not null,
    counted_at bigint not null,
    heard_at bigint not null,
    primary key (tenant, month, unit)
);
-- At an owner: what a portal was told of a month, and on which day the month was counted last.
create table cases_statistics_told (
    tenant text not null,
    portal text not null,
    month text not null,
    unit text not null,
    figures text not null,
    told_at bigint not null,
    primary key (tenant, portal, month, unit)
);
create table cases_statistics_rounds (
    tenant text not null,
    portal text not null,
    month text not null,
    day text not null,
    primary key (tenant, portal)
);

-- At a portal: who wishes the result by post, of a draft or of a case, until an owner has it.
create table cases_post_wishes (
    tenant text not null,
    holder text not null,
    address text not null,
    phone text not null,
    at bigint not null,
    primary key (tenant, holder)
);
-- At an owner: the results that go by post, and where each is on its way. What is said of it stands with the case.
create table cases_parcels (
    tenant text not null,
    code text not null,
    stage text not null,
    number text not null,
    at bigint not null,
    primary key (tenant, code)
);
create index cases_parcels_by_stage on cases_parcels (tenant, stage, at, code);
create unique index cases_parcels_by_number on cases_parcels (tenant, number) where number <> '';
