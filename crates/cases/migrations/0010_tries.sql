create index cases_tries_by_last on cases_tries (tenant, last);
