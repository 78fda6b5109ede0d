create table store_facts (
  tenant text not null,
  subject text not null,
  seq bigint not null,
  position bigint,
  at bigint not null,
  actor text not null,
  record text not null,
  primary key (tenant, subject, seq)
);
create unique index store_facts_position on store_facts (position);
create index store_facts_unsealed on store_facts (at, tenant, subject, seq) where position is null;

create table store_counters (
  tenant text not null,
  series text not null,
  last bigint not null,
  primary key (tenant, series)
);

create table store_outbox (
  tenant text not null,
  topic text not null,
  key text not null,
  seq bigint not null,
  id text not null,
  payload text not null,
  attempts bigint not null,
  next_at bigint not null,
  created bigint not null,
  primary key (tenant, topic, key, seq)
);
create index store_outbox_due on store_outbox (topic, next_at);

create table store_positions (
  tenant text not null,
  name text not null,
  position bigint not null,
  primary key (tenant, name)
);

create table store_log (
  stream text not null,
  first bigint not null,
  count bigint not null,
  records bytea not null,
  primary key (stream, first)
);
