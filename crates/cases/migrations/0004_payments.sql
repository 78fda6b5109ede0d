create table cases_payments (
    tenant text not null,
    id text not null,
    code text not null,
    dong bigint not null,
    asked_at bigint not null,
    bank_order text,
    order_until bigint,
    paid_at bigint,
    paid text,
    primary key (tenant, id)
);

create unique index cases_payments_by_case on cases_payments (tenant, code);
create index cases_payments_open on cases_payments (tenant, order_until) where paid_at is null;
