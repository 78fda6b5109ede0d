create table store_body_keys (
  day text not null,
  key bytea not null,
  primary key (day)
);

create table store_bodies (
  day text not null,
  first bigint not null,
  size bigint not null,
  bytes bytea not null,
  primary key (day, first)
);
