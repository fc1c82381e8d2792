-- What protects a store and holds a caller back (protocol/api/query-limits.ts).
alter table store add column limits jsonb not null default '{}';
alter table token add column limits jsonb not null default '{}';
