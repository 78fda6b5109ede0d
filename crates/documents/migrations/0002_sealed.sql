alter table documents_documents add column signed_digest text;
alter table documents_documents add column sealed_by text;
alter table documents_documents add column sealed_at bigint;
