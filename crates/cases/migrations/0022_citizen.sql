-- A citizen's own documents: results that were given to them, what they uploaded and kept, what a register said of them.
create table cases_wallet (
    tenant text not null,
    account text not null,
    id text not null,
    kind text not null,
    title text not null,
    issuer text not null,
    number text not null,
    dated text,
    valid_until text,
    digest text not null,
    origin text not null,
    reference text not null,
    kept_at bigint not null,
    primary key (tenant, account, id)
);
create index cases_wallet_by_time on cases_wallet (tenant, account, kept_at, id);

-- Each use of such a document: it was put into a form, or looked at by a link.
create table cases_wallet_uses (
    tenant text not null,
    account text not null,
    entry text not null,
    id text not null,
    at bigint not null,
    kind text not null,
    what text not null,
    primary key (tenant, account, entry, id)
);
create index cases_wallet_uses_by_time on cases_wallet_uses (tenant, account, entry, at, id);

-- A link to such a document, with digests of what it is named by and of its code.
create table cases_wallet_shares (
    tenant text not null,
    id text not null,
    account text not null,
    entry text not null,
    token text not null,
    code text not null,
    made_at bigint not null,
    until bigint not null,
    ended_at bigint,
    tries bigint not null,
    primary key (tenant, id)
);
create unique index cases_wallet_shares_token on cases_wallet_shares (tenant, token);
create index cases_wallet_shares_of on cases_wallet_shares (tenant, account, entry, made_at);

-- Results that were given before.
insert into cases_wallet (tenant, account, id, kind, title, issuer, number, dated, valid_until, digest, origin, reference, kept_at)
select r.tenant, c.account, r.code || '.' || r.document, 'issued', r.name, c.unit, r.number, null, null, r.digest, r.code,
    r.document, s.at
from cases_results r
join cases_cases c on c.tenant = r.tenant and c.code = r.code
join cases_statuses s on s.tenant = r.tenant and s.code = r.code and s.seq = r.with_seq
where r.kind = 'result' and c.account <> '' and r.code like r.tenant || '-%';

-- Who is asked to sign a draft too, which revision they were shown, and what they signed.
create table cases_cosigns (
    tenant text not null,
    draft text not null,
    number text not null,
    account text not null,
    asker text not null,
    asked_at bigint not null,
    seen bigint,
    signed bigint,
    signed_at bigint,
    signer text,
    refused_at bigint,
    primary key (tenant, draft, number)
);
create index cases_cosigns_by_number on cases_cosigns (tenant, number, asked_at, draft);
