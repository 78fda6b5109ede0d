drop index cases_payments_by_case;
alter table cases_payments add column charge bigint not null default 0;
alter table cases_payments add column closed_at bigint;
alter table cases_payments add column return_at bigint;
create unique index cases_payments_by_charge on cases_payments (tenant, code, charge);
