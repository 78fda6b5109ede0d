-- Fields of a record that a case changed, with what stood there before: a change is made once a case and can be undone.
create table registers_changes (
    tenant text not null,
    register text not null,
    service text not null,
    case_code text not null,
    record_key text not null,
    consumer text not null,
    request text not null,
    number text not null,
    changed_from bigint not null,
    before text not null,
    at bigint not null,
    undone_at bigint,
    primary key (tenant, register, service, case_code)
);
