create table oidc_provider (
  name       text        constraint oidc_provider_pk primary key,
  -- As protocol/api/oidc.ts says; the secret in it is a reference, never the secret.
  settings   jsonb       not null,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now()
);

-- A sign-in that is on its way through a provider: used once, whichever replica it comes back to. What it is proven with stays in the browser.
create table oidc_flow (
  state_hash     text        constraint oidc_flow_pk primary key,
  browser_hash   text        not null,
  provider       text        not null constraint oidc_flow_provider references oidc_provider (name) on delete cascade,
  back           text        not null,
  -- Of a command line that waits at a port of its own machine.
  port           integer,
  port_state     text,
  port_challenge text,
  expires_at     timestamptz not null
);
create index oidc_flow_by_end on oidc_flow (expires_at);

-- What the browser hands to the command line: good once, for a minute.
create table oidc_handover (
  code_hash  text        constraint oidc_handover_pk primary key,
  person_id  text        not null constraint oidc_handover_person references person (id) on delete cascade,
  provider   text        not null,
  challenge  text        not null,
  expires_at timestamptz not null
);
create index oidc_handover_by_end on oidc_handover (expires_at);
