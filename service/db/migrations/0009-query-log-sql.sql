-- The statement, where the gateway's setting keepSqlText says so; its parameters never.
alter table query_log add column sql text;
