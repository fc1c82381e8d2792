-- What a copy may ask of its tasks, and what is told of them.
alter table run
  -- The most parts that move at a time; null: as many as the nodes take.
  add column parallel      integer,
  -- The node that runs all its tasks; null: any.
  add column pin           text,
  add column timeout_ms    bigint,
  -- When it was started, or run again: from here its time counts.
  add column opened_at     timestamptz not null default now(),
  -- Where this run ends once it has succeeded, by the column that copy->>'watermark' names.
  add column watermark     text,
  -- As what the target knows the run, once it was started over: what is left of the first try cannot mix with the second. Null: id.
  add column target_run    text;

create index run_open on run (gateway_id) where context is not null and status in ('queued', 'running');
create unique index run_target on run ((coalesce(target_run, id)));
create index run_deadline on run (id) where timeout_ms is not null and status in ('queued', 'running');
create index run_watermark on run (source_id, sink_id, ended_at) where watermark is not null and status = 'succeeded';

alter table task
  add column pin           text,
  -- Times that it was handed out and came back unbegun, since the run was started or run again.
  add column returns       integer          not null default 0,
  -- How long it was ready before it was pulled, all attempts together.
  add column queue_ms      double precision not null default 0,
  -- firstByteMs, readMs, writeMs, commitMs of the last attempt.
  add column times         jsonb,
  -- A repair took its rows out of the target again: other tasks have brought them.
  add column replaced      boolean          not null default false,
  drop constraint task_kind_known,
  add constraint task_kind_known check (kind in ('plan', 'part', 'snapshot', 'finish', 'repair', 'cleanup'));

drop index task_ready;
create index task_first on task (gateway_id, ready_at) where status = 'ready' and kind in ('finish', 'snapshot', 'repair', 'cleanup');
create index task_plan on task (gateway_id, ready_at) where status = 'ready' and kind = 'plan';
create index task_part on task (run_id, place) where status = 'ready' and kind = 'part';
create index task_queue on task (gateway_id, ready_at) where status = 'ready';
create index task_running on task (run_id) where status = 'running';
create index attempt_running on attempt (seen_at) where ended_at is null;
