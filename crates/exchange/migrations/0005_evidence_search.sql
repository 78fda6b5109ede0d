-- What evidence is searched by: whose record it is, the other party, and how the exchange ended (`ok`, `refused`, `fault`, and the
-- problem's key). An organisation's code ends where a character comes that it cannot have: there begins the unit or the system.
alter table exchange_requests add column own text not null default '';
alter table exchange_requests add column member text not null default '';
alter table exchange_requests add column result text not null default '';
alter table exchange_requests add column fault text not null default '';
alter table exchange_requests add column ended bigint not null default 0;

-- Records from before have no key of a refusal here; their log has it.
update exchange_requests set
    own = case when side = 'consumer'
        then substr(consumer, 1, length(consumer) - length(ltrim(consumer, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789')))
        else substr(service, 1, length(service) - length(ltrim(service, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'))) end,
    member = case when side = 'consumer'
        then substr(service, 1, length(service) - length(ltrim(service, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789')))
        else substr(consumer, 1, length(consumer) - length(ltrim(consumer, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'))) end,
    result = case when status >= 500 then 'fault' when status >= 400 or status = 0 then 'refused' else 'ok' end,
    ended = began;

-- By time the instant leads: an index that every statement of a tenant could walk would be taken where another one is meant.
drop index exchange_requests_by_time;
create index exchange_requests_by_time on exchange_requests (began, tenant);
drop index exchange_requests_by_issue;
create index exchange_requests_by_issue on exchange_requests (tenant, issue, began);
create index exchange_requests_by_agreement on exchange_requests (tenant, agreement, began);
create index exchange_requests_by_service on exchange_requests (tenant, service, began);
create index exchange_requests_by_member on exchange_requests (tenant, member, began);
create index exchange_requests_by_failure on exchange_requests (tenant, result, began) where result <> 'ok';
