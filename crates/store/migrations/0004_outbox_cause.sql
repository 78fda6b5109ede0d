-- What came of the last try of a line: the key of the problem, and when.
alter table store_outbox add column last_problem text;
alter table store_outbox add column last_at bigint;
