import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '@postern/base/log.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type pg from 'pg'

/** Any number, the same in all replicas: held while one of them migrates. */
const LOCK = 7_400_001
/** A replica waits so long for another that migrates. */
const LOCK_MS = 120_000

export interface Migration {
  readonly number: number
  readonly name: string
  readonly text: string
  readonly checksum: string
}

/** The SQL files in their order: 0001-what.sql, no number twice. Numbers may be left out: branches of work take ranges of their own. */
export async function readMigrations(folder = join(import.meta.dirname, 'migrations')): Promise<readonly Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
  const migrations = await Promise.all(
    names.map(async (name) => {
      // A checkout with CRLF must not look like another migration.
      const text = (await readFile(join(folder, name), 'utf8')).replaceAll('\r\n', '\n')
      return { number: Number.parseInt(name, 10), name, text, checksum: createHash('sha256').update(text).digest('hex') }
    }),
  )
  for (const [index, { number, name }] of migrations.entries())
    if (!(number > (migrations[index - 1]?.number ?? 0)))
      throw new Fault('INTERNAL', { at: `Migration ${name} has a number that another has.` })
  return migrations
}

/** Forward only, each file in a transaction of its own, one replica at a time. Returns how many were applied. */
export async function migrate(
  database: { connect(): Promise<pg.PoolClient> },
  log: Log,
  migrations?: readonly Migration[],
): Promise<number> {
  const wanted = migrations ?? (await readMigrations())
  const client = await database.connect()
  try {
    await client.query(`set statement_timeout = ${LOCK_MS}`)
    await client.query('select pg_advisory_lock($1)', [LOCK])
    try {
      return await applyMissing(client, wanted, log)
    } finally {
      await client.query('select pg_advisory_unlock($1)', [LOCK])
    }
  } finally {
    // Not back to the pool: its time-outs are another's.
    client.release(true)
  }
}

async function applyMissing(client: pg.PoolClient, wanted: readonly Migration[], log: Log): Promise<number> {
  await client.query(`
    create table if not exists migration (
      number     integer     constraint migration_pk primary key,
      name       text        not null,
      checksum   text        not null,
      applied_at timestamptz not null default now()
    )`)
  const { rows } = await client.query<{ number: number; name: string; checksum: string }>(
    'select number, name, checksum from migration order by number',
  )
  const byNumber = new Map(wanted.map((migration) => [migration.number, migration]))
  const newer = rows.find(({ number }) => !byNumber.has(number))
  if (newer)
    throw new Fault('DATABASE_TOO_NEW', { at: `It has migration ${newer.name}, this version ends at ${wanted.at(-1)?.number ?? 0}.` })
  for (const { number, name, checksum } of rows)
    if (byNumber.get(number)?.checksum !== checksum)
      throw new Fault('DATABASE_TOO_NEW', { at: `Migration ${name} was applied with another content than this version has.` })
  const applied = new Set(rows.map(({ number }) => number))
  const missing = wanted.filter(({ number }) => !applied.has(number))
  for (const { number, name, text, checksum } of missing) {
    await client.query('begin')
    try {
      await client.query(text)
      await client.query('insert into migration (number, name, checksum) values ($1, $2, $3)', [number, name, checksum])
      await client.query('commit')
    } catch (cause) {
      await client.query('rollback')
      throw cause
    }
    log.info({ migration: name }, 'database migrated')
  }
  return missing.length
}
