alter table audit add column who_id text;
-- refused: not allowed, or not who it claimed to be. failed: allowed, and not done.
alter table audit add column outcome text not null default 'done' constraint audit_outcome_known check (outcome in ('done', 'refused', 'failed'));
create index audit_by_time on audit (at, id);

create table audit_settings (
  only_one  boolean constraint audit_settings_pk primary key default true constraint audit_settings_one check (only_one),
  -- 0: for ever.
  keep_days integer not null default 365 constraint audit_keep_days check (keep_days between 0 and 36500)
);
insert into audit_settings default values;

-- What was recorded stays as it was, until it is older than it is kept.
create function audit_stays() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and old.at < now() - interval '1 day' * (select keep_days from audit_settings) and (select keep_days from audit_settings) > 0 then
    return old;
  end if;
  raise exception 'the audit is only added to' using errcode = 'insufficient_privilege';
end $$;
create trigger audit_stays before update or delete on audit for each row execute function audit_stays();
create trigger audit_stays_whole before truncate on audit for each statement execute function audit_stays();
