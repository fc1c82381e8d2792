create table run (
  id              text        constraint run_pk primary key,
  gateway_id      text        not null,
  gateway         text        not null,
  name            text        not null,
  status          text        not null default 'queued'
                              constraint run_status_known check (status in ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
  started_by      text        not null,
  copy            jsonb       not null,
  source_id       text        not null,
  sink_id         text        not null,
  created_at      timestamptz not null default now(),
  started_at      timestamptz,
  ended_at        timestamptz,
  guarantee       text,
  lane            text,
  notes           jsonb       not null default '[]',
  verification    jsonb,
  fault           jsonb,
  -- The engine's facts of the plan; null until there is one.
  context         jsonb,
  -- Grows with each new snapshot: tells an attempt under an older one.
  context_version integer     not null default 0,
  -- The node that holds the exported snapshot.
  snapshot_node   text
);
create index run_created on run (created_at, id);
create index run_active on run (gateway_id) where status in ('queued', 'running');

create table task (
  id             text             constraint task_pk primary key,
  run_id         text             not null constraint task_run references run on delete cascade,
  gateway_id     text             not null,
  -- Order in the plan: plan 0, parts from 1, finish after them.
  place          integer          not null,
  kind           text             not null constraint task_kind_known check (kind in ('plan', 'part', 'snapshot', 'finish', 'cleanup')),
  name           text             not null,
  status         text             not null
                                  constraint task_status_known
                                  check (status in ('waiting', 'ready', 'running', 'succeeded', 'failed', 'cancelled')),
  estimated_rows double precision,
  spec           jsonb,
  result         jsonb,
  -- Number of the last attempt.
  attempt        integer          not null default 0,
  -- Attempts that failed or were lost since the run was started or rerun.
  failures       integer          not null default 0,
  ready_at       timestamptz      not null default now(),
  node           text,
  started_at     timestamptz,
  ended_at       timestamptz,
  rows_read      bigint           not null default 0,
  rows_written   bigint           not null default 0,
  rows_skipped   bigint           not null default 0,
  bytes_read     bigint           not null default 0,
  bytes_written  bigint           not null default 0
);
create index task_run on task (run_id, place);
create index task_ready on task (gateway_id, ready_at) where status = 'ready';

create table attempt (
  task_id         text        not null constraint attempt_task references task on delete cascade,
  number          integer     not null,
  run_id          text        not null,
  status          text        not null
                              constraint attempt_status_known
                              check (status in ('dispatched', 'running', 'succeeded', 'failed', 'lost', 'returned', 'cancelled')),
  -- Of the dispatcher that pulled it.
  epoch           bigint      not null,
  dispatcher_id   text        not null,
  node_id         text,
  node            text,
  context_version integer     not null,
  started_at      timestamptz not null default now(),
  -- When its node named it last.
  seen_at         timestamptz not null default now(),
  -- Of a cancelled attempt: when its node has let go of it.
  ended_at        timestamptz,
  rows_read       bigint      not null default 0,
  rows_written    bigint      not null default 0,
  bytes_read      bigint      not null default 0,
  bytes_written   bigint      not null default 0,
  fault           jsonb,
  constraint attempt_pk primary key (task_id, number)
);
create index attempt_open on attempt (run_id) where ended_at is null;
