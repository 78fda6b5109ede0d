-- Archive files whose records have left the live evidence log (left.rs): where an exchange lives, and since when.
create table exchange_archives (
    tenant text not null,
    stream text not null,
    first_position bigint not null,
    next_position bigint not null,
    file text not null,
    sha256 text not null,
    bytes bigint not null,
    class text not null,
    keep_until bigint,
    left_at bigint not null,
    primary key (tenant, stream, first_position)
);
