/** pgbench's table of accounts, made in SQL so that pgbench itself is not needed: the same columns, types and values. */
import type { TestDatabase } from '@postern/testkit/postgres.ts'

export const ACCOUNTS = 2_000_000

const COLUMNS = 'aid integer not null, bid integer, abalance integer, filler character(84)'

export async function fillAccounts(database: TestDatabase): Promise<void> {
  await database.query(`create table pgbench_accounts (${COLUMNS})`)
  await database.query(`insert into pgbench_accounts select aid, (aid - 1) / 100000 + 1, 0, '' from generate_series(1, ${ACCOUNTS}) as aid`)
  await database.query('alter table pgbench_accounts add primary key (aid)')
  await database.query('vacuum analyze pgbench_accounts')
  await database.query('checkpoint')
}

/** An empty table of the same columns, anew. */
export async function emptyTarget(database: TestDatabase, name: string): Promise<void> {
  await database.query(`drop table if exists ${name}`)
  await database.query(`create table ${name} (${COLUMNS})`)
}

/** The same with a primary key and two indexes. */
export async function indexedTarget(database: TestDatabase, name: string): Promise<void> {
  await emptyTarget(database, name)
  await database.query(`alter table ${name} add primary key (aid); create index on ${name} (bid); create index on ${name} (abalance, aid)`)
}
