-- What was handed in at a desk, by the number its form or its caller gave it: sent twice, it is one case.
create table cases_intakes (
    tenant text not null,
    account text not null,
    id text not null,
    code text not null,
    primary key (tenant, account, id)
);
