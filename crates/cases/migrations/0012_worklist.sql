-- A desk reads the open cases of its own unit: under the province's index it would walk over everybody's.
create index cases_cases_unit_running on cases_cases (tenant, unit, (case when status in (3, 7, 8, 10) then 1 else 0 end), coalesce(due_at, filed_at), code);
create index cases_cases_unit_clocked on cases_cases (tenant, unit, coalesce(due_at, filed_at), code) where status in (2, 4);
create index cases_cases_unit_paused on cases_cases (tenant, unit, coalesce(due_at, filed_at), code) where status in (5, 6);

-- Whose desk a case lies on: the official's account; null while it is the unit's.
alter table cases_cases add column assignee text;
create index cases_cases_assigned on cases_cases (tenant, assignee, (case when status in (3, 7, 8, 10) then 1 else 0 end), coalesce(due_at, filed_at), code) where assignee is not null;
