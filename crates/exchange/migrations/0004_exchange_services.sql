-- Services that an operator registered, and the certificates with which information systems connect.
create table exchange_services (
    tenant text not null,
    service text not null,
    document text not null,
    changed_at bigint not null,
    primary key (tenant, service)
);

create table exchange_client_certificates (
    tenant text not null,
    consumer text not null,
    thumbprint text not null,
    name text not null,
    valid_from bigint not null,
    valid_to bigint not null,
    registered_at bigint not null,
    primary key (tenant, consumer, thumbprint)
);
