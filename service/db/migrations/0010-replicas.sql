-- The services that run on this database; each renews its row.
create table replica (
  id      text        constraint replica_pk primary key,
  -- Where the other replicas reach it.
  url     text        not null,
  seen_at timestamptz not null default now()
);

-- With this, replicas prove themselves to each other: one row, made once.
create table replica_secret (
  one        boolean     not null default true constraint replica_secret_pk primary key constraint replica_secret_one check (one),
  secret     text        not null,
  created_at timestamptz not null default now()
);
