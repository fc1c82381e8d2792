-- When something of a gateway or node was changed that is not its beat: replicas read each second what is new, not all there is.
alter table gateway add column changed_at timestamptz not null default now();
alter table node add column changed_at timestamptz not null default now();
create index gateway_changed on gateway (changed_at);
create index node_changed on node (changed_at);

create function note_change() returns trigger language plpgsql as $$
begin
  new.changed_at := clock_timestamp();
  return new;
end $$;

create trigger gateway_change before insert or update on gateway for each row execute function note_change();
create trigger node_change before insert or update of gateway_id, name, identity, enabled, draining, settings, joined_at on node
  for each row execute function note_change();
