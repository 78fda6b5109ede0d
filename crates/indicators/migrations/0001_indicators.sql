create table indicators_values (
    tenant text not null,
    counter text not null,
    org text not null,
    period text not null,
    amount bigint not null,
    primary key (tenant, counter, org, period)
);
