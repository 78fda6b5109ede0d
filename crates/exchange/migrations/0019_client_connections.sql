-- How an information system has to connect, where that is not as the node's setting says.
create table exchange_client_connections (
    tenant text not null,
    consumer text not null,
    connection text not null,
    changed_at bigint not null,
    primary key (tenant, consumer)
);
