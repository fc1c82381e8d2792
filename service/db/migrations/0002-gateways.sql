create table gateway (
  id         text        constraint gateway_pk primary key,
  name       text        not null constraint gateway_name_unique unique,
  -- Only what a person changed; the rest is at its default.
  settings   jsonb       not null default '{}',
  public_key text,
  created_at timestamptz not null default now()
);

create table gateway_key (
  gateway_id text        not null constraint gateway_key_gateway references gateway on delete cascade,
  slot       smallint    not null constraint gateway_key_slot_known check (slot in (1, 2)),
  -- SHA-256 of the key, hex.
  hash       text        not null constraint gateway_key_hash_unique unique,
  hint       text        not null,
  created_at timestamptz not null default now(),
  constraint gateway_key_pk primary key (gateway_id, slot)
);
