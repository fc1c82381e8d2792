-- What was asked, by whom, and how it went: written in batches, deleted after its retention. Never holds the statement or a row.
create table query_log (
  id           text             constraint query_log_pk primary key,
  store        text             not null,
  gateway      text             not null,
  caller       text             not null,
  format       text             not null,
  mode         text             not null,
  node         text,
  outcome      text             not null constraint query_log_outcome_known check (outcome in ('succeeded', 'failed', 'cancelled')),
  started_at   timestamptz      not null,
  queued_ms    double precision not null,
  first_row_ms double precision,
  duration_ms  double precision not null,
  rows         bigint           not null,
  bytes        bigint           not null,
  fault        text,
  candidates   jsonb            not null,
  attempts     jsonb            not null
);
create index query_log_started on query_log (started_at, id);
