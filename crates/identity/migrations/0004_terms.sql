-- From when and until when an official's account is in force; null where nothing was said.
alter table identity_accounts add column begins bigint;
alter table identity_accounts add column ends bigint;
