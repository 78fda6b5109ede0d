create table cases_tries (
    tenant text not null,
    who text not null,
    tries text not null,
    last bigint not null,
    primary key (tenant, who)
);

alter table cases_cases add column rating bigint;
