create table token (
  id         text        constraint token_pk primary key,
  name       text        not null,
  -- SHA-256 of the token, hex: the token itself is never kept.
  hash       text        not null constraint token_hash_unique unique,
  role       text        not null constraint token_role_known check (role in ('administrator', 'operator', 'user', 'reader')),
  created_at timestamptz not null default now(),
  created_by text        not null,
  expires_at timestamptz
);

create table audit (
  id        bigint      generated always as identity constraint audit_pk primary key,
  at        timestamptz not null default now(),
  who       text        not null,
  action    text        not null,
  target    text        not null,
  ip        text,
  details   jsonb       not null default '{}'
);
