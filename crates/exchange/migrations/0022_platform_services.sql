-- How services of the platform stand, where an operator has said so: disabled, to be stopped, going.
create table exchange_platform_services (
    tenant text not null,
    service text not null,
    document text not null,
    changed_at bigint not null,
    primary key (tenant, service)
);
