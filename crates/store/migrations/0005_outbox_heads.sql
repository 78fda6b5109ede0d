-- A line that stands behind another of its key is no candidate for delivery: marked, so that looking for those that
-- are costs what they are, however long the lanes behind them.
alter table store_outbox add column behind bigint not null default 0;
update store_outbox set behind = 1 where exists (
  select 1 from store_outbox as p
  where p.tenant = store_outbox.tenant and p.topic = store_outbox.topic and p.key = store_outbox.key
    and p.seq < store_outbox.seq
);
drop index store_outbox_due;
create index store_outbox_due on store_outbox (topic, behind, next_at);
