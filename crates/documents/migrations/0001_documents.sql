create table documents_documents (
    tenant text not null,
    id text not null,
    unit text not null,
    kind text not null,
    number text not null,
    about text not null,
    owner text,
    digest text not null,
    signer text not null,
    issued_at bigint not null,
    primary key (tenant, id)
);

create index documents_documents_by_about on documents_documents (tenant, about);
