-- What only one record of a register may have, such as one act a child: by the digest of its fields.
create table registers_claims (
    tenant text not null,
    register text not null,
    claim text not null,
    value text not null,
    record_key text not null,
    primary key (tenant, register, claim, value)
);
create index registers_claims_by_record on registers_claims (tenant, register, record_key);
