-- By which calendar the due dates of a place were counted last: another one, and they are counted again.
create table cases_recounts (
    tenant text not null primary key,
    calendar text not null,
    at bigint not null
);
