-- Ed25519 public key of an authentication key: nodes check with it who asks them for the gateway's key. Keys without it open no hand-over.
alter table gateway_key add column verifier text;

-- The gateway's private key, sealed to a recovery key that only people have. It belongs to one key of the gateway.
create table gateway_recovery (
  gateway_id   text constraint gateway_recovery_pk primary key constraint gateway_recovery_gateway references gateway on delete cascade,
  -- The gateway's public key whose private half is sealed.
  public_key   text not null,
  -- X25519, made of the recovery key; what was sealed to.
  recovery_key text not null,
  -- HMAC of the gateway's nodes over recovery_key: nobody else can put another in its place.
  stamp        text not null,
  sealed       text not null,
  made_by      text not null
);
-- When the recovery key was made; null without one. A rotation of the gateway's key leaves it.
alter table gateway add column recovery_key_at timestamptz;
