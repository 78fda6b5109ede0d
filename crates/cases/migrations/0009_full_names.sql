-- A full name is looked for by itself: among those who share its last word it would be one of thousands.
create index cases_names_by_name on cases_names (tenant, name, filed_at, unit);
