-- Whose rights a run goes on with: of whoever started it, or ran it again last, and the token by which that was asked for (null: a sign-in).
-- Null in what is older: that is not judged.
alter table run
  add column acting_for      text,
  add column acting_for_id   text,
  add column acting_token_id text,
  -- The store for rows that do not fit, where there is one.
  add column rejects_id      text;
update run
   set acting_for = started_by, acting_for_id = started_by_id,
       acting_token_id = case when starts_with(started_by_id, 'tok_') then started_by_id end
 where status in ('queued', 'running') and started_by_id is not null;

-- Of which gateway a record is, for those who administer only that. Null: of none, or older than this.
alter table audit add column gateway_id text;
create index audit_by_gateway on audit (gateway_id, at, id) where gateway_id is not null;

-- Names may be used again later, so it is looked up when the record is made.
create function audit_place() returns trigger language plpgsql as $$
declare
  found text[] := regexp_match(new.target, '^(?:(gateway|node|store|run)[ /]|/v1/(gateway|store|run)s/)([A-Za-z0-9._-]+)');
  kind text := coalesce(found[1], found[2]);
  named text := found[3];
begin
  if new.target like 'session %' then
    kind := 'store';
    named := new.details->>'store';
  end if;
  if new.gateway_id is null and named is not null then
    new.gateway_id := case kind
      when 'store' then (select gateway_id from store where name = named)
      when 'run' then (select gateway_id from run where id = named)
      else (select id from gateway where name = named)
    end;
  end if;
  return new;
end $$;
create trigger audit_place before insert on audit for each row execute function audit_place();
