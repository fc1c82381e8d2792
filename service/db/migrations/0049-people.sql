create table person (
  id            text        constraint person_pk primary key,
  name          text        not null constraint person_name_unique unique constraint person_name_small check (name = lower(name)),
  display_name  text        not null default '',
  email         text,
  role          text        not null constraint person_role_known check (role in ('administrator', 'operator', 'user', 'reader', 'none')),
  disabled      boolean     not null default false,
  -- argon2id, in its usual written form; null: none, as for those who come from an OpenID Connect provider.
  password      text,
  -- Good for one sign-in, at which it must be changed.
  password_once boolean     not null default false,
  -- Of an OpenID Connect provider: the two together are who somebody is; names and addresses can change hands.
  issuer        text,
  subject       text,
  created_at    timestamptz not null default now(),
  created_by    text        not null,
  signed_in_at  timestamptz,
  constraint person_subject_whole check ((issuer is null) = (subject is null)),
  constraint person_subject_unique unique (issuer, subject)
);

create table sign_in (
  id         text        constraint sign_in_pk primary key,
  person_id  text        not null constraint sign_in_person references person (id) on delete cascade,
  -- SHA-256 of the token, hex: the token itself is never kept.
  hash       text        not null constraint sign_in_hash_unique unique,
  way        text        not null,
  created_at timestamptz not null default now(),
  used_at    timestamptz not null default now(),
  expires_at timestamptz not null,
  address    text,
  agent      text        not null default ''
);
create index sign_in_by_person on sign_in (person_id);
create index sign_in_by_end on sign_in (expires_at);

create table sign_in_settings (
  only_one     boolean constraint sign_in_settings_pk primary key default true constraint sign_in_settings_one check (only_one),
  idle_seconds integer not null default 43200,
  life_seconds integer not null default 604800
);
insert into sign_in_settings default values;
