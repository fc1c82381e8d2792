-- Each replica proves itself with a key of its own, which its process makes and keeps; here stands the public half. A secret that all share stood
-- here before: whoever had a copy of the database could have come as a replica, and asked nodes for anything.
drop table replica_secret;
-- Null: a service of before, which nobody links to any more.
alter table replica add column public_key text;
