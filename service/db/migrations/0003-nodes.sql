-- The certificate authority of the channel: one row, made once.
create table authority (
  one         boolean     not null default true constraint authority_pk primary key constraint authority_one check (one),
  certificate text        not null,
  private_key text        not null,
  created_at  timestamptz not null default now()
);

create table node (
  id         text        constraint node_pk primary key,
  gateway_id text        not null constraint node_gateway references gateway on delete cascade,
  name       text        not null,
  -- Ed25519 public key, base64url.
  identity   text        not null,
  version    text        not null,
  enabled    boolean     not null default true,
  draining   boolean     not null default false,
  -- Order of preference in the gateway; the lowest is the primary.
  place      bigint      generated always as identity,
  settings   jsonb       not null default '{}',
  joined_at  timestamptz not null default now(),
  beat       jsonb,
  beat_at    timestamptz,
  constraint node_name_unique unique (gateway_id, name)
);

-- What was deleted, so that a node can be told so.
create table node_deleted (
  id         text        constraint node_deleted_pk primary key,
  gateway_id text        not null,
  name       text        not null,
  deleted_at timestamptz not null default now()
);

create table dispatcher_lease (
  gateway_id text        constraint dispatcher_lease_pk primary key constraint dispatcher_lease_gateway references gateway on delete cascade,
  -- Null while nobody holds it.
  node_id    text,
  epoch      bigint      not null,
  until      timestamptz not null
);
