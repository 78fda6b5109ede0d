-- Who acts for whom (đại diện theo pháp luật, đại diện theo ủy quyền). The represented one is named by a personal number, a
-- company by its tax code; scope is empty for every procedure, else their codes between bars.
create table cases_mandates (
    tenant text not null,
    id text not null,
    whom text not null,
    represented text not null,
    name text not null,
    represented_account text,
    account text not null,
    number text not null,
    representative text not null,
    scope text not null,
    from_day text not null,
    to_day text not null,
    proof text not null,
    state text not null,
    request text not null,
    paper text,
    made_at bigint not null,
    changed_at bigint not null,
    primary key (tenant, id)
);
create index cases_mandates_held on cases_mandates (tenant, account, made_at, id);
create index cases_mandates_given on cases_mandates (tenant, represented, made_at, id);

-- For whom a case was filed by somebody else, and by whom: how both find it.
create table cases_represented (
    tenant text not null,
    code text not null,
    mandate text not null,
    whom text not null,
    represented text not null,
    account text not null,
    filed_at bigint not null,
    primary key (tenant, code)
);
create index cases_represented_by on cases_represented (tenant, represented, filed_at, code);

-- The mandate under which a draft is to be filed.
alter table cases_drafts add column mandate text;
