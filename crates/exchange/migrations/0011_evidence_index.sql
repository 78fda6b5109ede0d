-- The index of the evidence log: blocks of 4,096 records each (index.rs), made from the log by position and so once. Rows of one
-- exchange each were a quarter of the time of a call; the log has the records, and what was indexed is made from it again.
drop table exchange_messages;
drop table exchange_requests;

-- The exchanges of one block with all that a search asks for (index/block.rs).
create table exchange_index_blocks (
    tenant text not null,
    block bigint not null,
    began_min bigint not null,
    began_max bigint not null,
    body bytea not null,
    primary key (tenant, block)
);
-- What a look by time goes through: some bytes a block, without its body.
create index exchange_index_blocks_by_time on exchange_index_blocks (tenant, block, began_min, began_max);

-- Which blocks hold an exchange of a service, a member, an agreement, a tenant, or one that did not go well.
create table exchange_index_marks (
    tenant text not null,
    kind text not null,
    value text not null,
    block bigint not null,
    primary key (tenant, kind, value, block)
);

-- Where the exchanges of an id, a message or a case are (index/keys.rs).
create table exchange_index_keys (
    tenant text not null,
    level bigint not null,
    part bigint not null,
    run bigint not null,
    entries bytea not null,
    primary key (tenant, level, part, run)
);
