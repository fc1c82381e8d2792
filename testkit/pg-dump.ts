/** pg_dump as an administrator runs it, and the server that it can read. */
import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { TestDatabase } from './postgres.ts'

/** Where Debian and Ubuntu put each version. */
const VERSIONS = '/usr/lib/postgresql'
const PROGRAMS = ['initdb', 'postgres', 'pg_dump']

/**
 * The folder of the newest PostgreSQL of this machine that has both server and pg_dump: pg_dump refuses a server that is newer than
 * itself, and the one from npm, which has none beside it, is newer than most. Undefined: package `postgresql` is not installed.
 */
export function serverWithPgDump(): string | undefined {
  const versions = existsSync(VERSIONS) ? readdirSync(VERSIONS).toSorted((a, b) => Number(b) - Number(a)) : []
  return versions
    .map((version) => join(VERSIONS, version, 'bin'))
    .find((folder) => PROGRAMS.every((program) => existsSync(join(folder, program))))
}

export const NO_PG_DUMP = serverWithPgDump() === undefined ? ' (left out: package postgresql is not installed)' : ''

/** Bytes as they would lie in a backup; the custom format is not compressed, so that they can be read. */
export async function pgDump(folder: string, database: TestDatabase, format: 'plain' | 'custom'): Promise<Buffer> {
  const words = [
    `--format=${format}`,
    '--compress=0',
    '--host',
    database.host,
    '--port',
    String(database.port),
    '--username',
    database.user,
  ]
  const { stdout } = await promisify(execFile)(join(folder, 'pg_dump'), [...words, database.name], {
    env: { ...process.env, PGPASSWORD: database.password },
    encoding: 'buffer',
    maxBuffer: 256 << 20,
    timeout: 60_000,
  })
  return stdout
}

/** Every row of every table, as text, and as the JSON of its columns. */
export async function rowsOf(database: TestDatabase): Promise<Buffer> {
  const tables = await database.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')`,
  )
  const parts: string[] = []
  for (const { name } of tables) {
    const rows = await database.query<{ text: string; json: string }>(`select t::text as text, to_jsonb(t)::text as json from ${name} t`)
    parts.push(name, ...rows.flatMap(({ text, json }) => [text, json]))
  }
  return Buffer.from(parts.join('\n'))
}
