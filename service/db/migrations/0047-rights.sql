-- Roles on gateways and stores, groups, and tokens that belong to a person.
alter table token drop constraint token_role_known;
alter table token add constraint token_role_known check (role in ('administrator', 'operator', 'user', 'reader', 'none', 'owner'));
-- The person whose token it is; null: a service token. Not a reference: the table of people comes later than this one.
alter table token add column owner_id text;
-- Of a service token: what it was given when it was made. Of a person's own: what it is kept to.
alter table token add column roles jsonb not null default '[]';
alter table token add constraint token_owner_only check (role <> 'owner' or owner_id is not null);
create index token_by_owner on token (owner_id) where owner_id is not null;

create table people_group (
  id          text        constraint people_group_pk primary key,
  name        text        not null constraint people_group_name_unique unique,
  description text        not null default '',
  created_at  timestamptz not null default now(),
  created_by  text        not null
);

create table group_member (
  group_id     text        not null constraint group_member_group references people_group on delete cascade,
  -- Of a person or a service token.
  principal_id text        not null,
  -- Who says so: people here, or the groups of an OpenID Connect provider. Neither takes away what the other says.
  source       text        not null default 'local' constraint group_member_source_known check (source in ('local', 'oidc')),
  added_at     timestamptz not null default now(),
  constraint group_member_pk primary key (group_id, principal_id, source)
);
create index group_member_by_principal on group_member (principal_id);

create table role_grant (
  id           text        constraint role_grant_pk primary key,
  -- Of a person, a group or a service token.
  principal_id text        not null,
  role         text        not null constraint role_grant_role_known check (role in ('administrator', 'operator', 'user', 'gateway-admin', 'store-creator', 'store-owner', 'store-user', 'reader')),
  -- Neither: on the whole service.
  gateway_id   text        constraint role_grant_gateway references gateway on delete cascade,
  store_id     text        constraint role_grant_store references store on delete cascade,
  created_at   timestamptz not null default now(),
  created_by   text        not null,
  constraint role_grant_one_place check (gateway_id is null or store_id is null),
  constraint role_grant_once unique nulls not distinct (principal_id, role, gateway_id, store_id)
);
create index role_grant_by_gateway on role_grant (gateway_id) where gateway_id is not null;
create index role_grant_by_store on role_grant (store_id) where store_id is not null;

-- Names may change hands, ids do not: whose own a run or a query is. Null in what is older than this.
alter table run add column started_by_id text;
alter table query_log add column caller_id text;
alter table query_log add column store_id text;
alter table query_log add column gateway_id text;
alter table query_log add column address text;
