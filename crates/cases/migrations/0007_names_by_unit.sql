alter table cases_names add column unit text not null default '';

update cases_names set unit = (
    select c.unit from cases_cases c where c.tenant = cases_names.tenant and c.code = cases_names.code
) where unit = '';

create index cases_names_by_unit on cases_names (tenant, unit, given, filed_at, name);
