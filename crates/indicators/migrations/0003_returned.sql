-- A decided case stays open until its result is given, so that it is returned once. What was counted
-- is derived from the facts and is counted anew.
alter table indicators_open add column decided bigint;
delete from indicators_open;
delete from indicators_counts;
delete from indicators_rows;
delete from indicators_agreements;
