alter table run
  -- The only node that can read under the snapshot that it holds (snapshot_node); null: any can, or there is none.
  add column reader text;
create index run_reader on run (id) where reader is not null and status in ('queued', 'running');
