-- What was counted before is derived from the facts and is counted anew, with days and parts.
drop table indicators_values;

-- grain: m month, d day, t minute, s second, then the depth of the organisation (0 for all).
create table indicators_counts (
    tenant text not null,
    grain text not null,
    period text not null,
    org text not null,
    counter text not null,
    part text not null,
    amount bigint not null,
    primary key (tenant, grain, period, org, counter, part)
);

-- Which facts moved a counter: their positions in the log.
create table indicators_rows (
    tenant text not null,
    counter text not null,
    org text not null,
    month text not null,
    position bigint not null,
    primary key (tenant, counter, org, month, position)
);

-- The cases that have not ended.
create table indicators_open (
    tenant text not null,
    case_code text not null,
    org text not null,
    received bigint not null,
    accepted bigint,
    due bigint,
    paused bigint,
    paused_ms bigint not null,
    primary key (tenant, case_code)
);
create index indicators_open_due on indicators_open (tenant, due);

-- The agreements that have not ended.
create table indicators_agreements (
    tenant text not null,
    agreement text not null,
    consumer text not null,
    service text not null,
    primary key (tenant, agreement)
);
