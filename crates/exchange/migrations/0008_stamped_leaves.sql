-- What a stamp's hash chain is over, 32 bytes each: so the way to an old message is found without reading its whole span again.
-- And the signed directory in force when it was stamped, a blob by its hash: it says which seals were revoked then.
alter table exchange_timestamps add column leaves bytea;
alter table exchange_timestamps add column directory text;
