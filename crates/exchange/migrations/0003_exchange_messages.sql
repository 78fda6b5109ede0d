-- Exchanges by the id their consumer gave its message (X-Road-Id); more than one may bear the same.
create table exchange_messages (
    tenant text not null,
    message text not null,
    request text not null,
    primary key (tenant, message, request)
);
