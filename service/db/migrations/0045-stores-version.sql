-- Grows with each change of a store that its gateway's nodes have to know of: who holds an older state fetches what is new.
alter table gateway add column stores_version integer not null default 0;
update gateway set stores_version = (select count(*) from store where store.gateway_id = gateway.id);

create function count_store_change() returns trigger language plpgsql as $$
begin
  update gateway set stores_version = stores_version + 1 where id in (old.gateway_id, new.gateway_id);
  return null;
end $$;

create trigger store_change after insert or delete or update of version, name, kind, gateway_id, sealed, settings on store
  for each row execute function count_store_change();
