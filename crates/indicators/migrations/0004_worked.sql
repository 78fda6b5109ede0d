-- How long a case took is said by who decided it, in working minutes. What was counted is derived from
-- the facts and is counted anew.
alter table indicators_open drop column accepted;
alter table indicators_open drop column paused_ms;
delete from indicators_open;
delete from indicators_counts;
delete from indicators_rows;
delete from indicators_agreements;
