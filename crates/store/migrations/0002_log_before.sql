-- What a log that is kept in rows has of the records that have left it: the tree over them (log/before.rs), one row a log.
create table store_log_before (
  stream text not null,
  first bigint not null,
  tree bytea not null,
  primary key (stream)
);
