-- Answers that everybody can read, in words that name nobody; at the unit that answered, and at the portal.
create table cases_published (
    tenant text not null,
    number text not null,
    code text not null,
    unit text not null,
    about_vi text not null,
    about_en text not null,
    asked text not null,
    answer text not null,
    folded text not null,
    answered_at bigint not null,
    published_at bigint not null,
    published_by text not null,
    withdrawn_at bigint,
    withdrawn_by text not null,
    reason text not null,
    primary key (tenant, number)
);
create index cases_published_latest on cases_published (tenant, published_at, number) where withdrawn_at is null;
