create table store (
  id         text        constraint store_pk primary key,
  name       text        not null constraint store_name_unique unique,
  gateway_id text        not null constraint store_gateway references gateway,
  kind       text        not null,
  version    integer     not null default 1,
  settings   jsonb       not null default '{}',
  -- HPKE, sealed to the gateway's key; the service cannot open it.
  sealed     text,
  secrets    text[]      not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
