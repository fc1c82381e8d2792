-- Only nodes that carry all of these labels answer queries for the store.
alter table store add column node_labels jsonb not null default '{}';
