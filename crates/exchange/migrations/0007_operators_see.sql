-- Calls counted by minute, hour, day and month of Vietnam: a row for each combination that occurred, with the times that calls took as
-- a histogram (b0 to b17, see traffic/latency.rs). Written with the index of exchanges, so once for each record of the log.
create table exchange_traffic (
    tenant text not null,
    grain text not null,
    begins bigint not null,
    own text not null,
    side text not null,
    member text not null,
    service text not null,
    agreement text not null,
    result text not null,
    fault text not null,
    calls bigint not null,
    ms_sum bigint not null,
    ms_max bigint not null,
    b0 bigint not null,
    b1 bigint not null,
    b2 bigint not null,
    b3 bigint not null,
    b4 bigint not null,
    b5 bigint not null,
    b6 bigint not null,
    b7 bigint not null,
    b8 bigint not null,
    b9 bigint not null,
    b10 bigint not null,
    b11 bigint not null,
    b12 bigint not null,
    b13 bigint not null,
    b14 bigint not null,
    b15 bigint not null,
    b16 bigint not null,
    b17 bigint not null,
    primary key (tenant, grain, begins, own, side, member, service, agreement, result, fault)
);

-- What was done about the exchange and by whom, and what was tried and refused: the first from facts, by their position in the log.
create table exchange_acts (
    tenant text not null,
    at bigint not null,
    id text not null,
    who text not null,
    unit text not null,
    act text not null,
    object text not null,
    result text not null,
    code text not null,
    times bigint not null,
    primary key (tenant, at, id)
);

create index exchange_acts_by_result on exchange_acts (tenant, result, at);
