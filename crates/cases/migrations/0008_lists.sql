drop index cases_cases_open;
create index cases_cases_running on cases_cases (tenant, (case when status in (3, 7, 8, 10) then 1 else 0 end), coalesce(due_at, filed_at), code);

drop index cases_cases_by_unit;
create index cases_cases_unit_state on cases_cases (tenant, unit, state, coalesce(due_at, filed_at), code);

create index cases_cases_unit_rated_low on cases_cases (tenant, unit, coalesce(due_at, filed_at), code) where rating <= 2;
