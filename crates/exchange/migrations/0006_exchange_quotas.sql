-- Calls answered under an agreement that has a quota, by the civil day (2026-11-22).
create table exchange_quota_days (
    tenant text not null,
    agreement text not null,
    day text not null,
    calls bigint not null,
    primary key (tenant, agreement, day)
);
