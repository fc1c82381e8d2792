-- What `postern apply` knows a credential by: a label that its file gives, never anything made from the secret.
alter table store add column secrets_version text constraint store_secrets_version check (length(secrets_version) <= 120);
