-- One row while the node is in maintenance: calls are refused with the notice, over a restart too.
create table exchange_maintenance (
    tenant text not null,
    notice text not null,
    since bigint not null,
    until bigint,
    primary key (tenant)
);
