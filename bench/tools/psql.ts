/** PostgreSQL's own programs, as peers. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import type { PostgresAddress } from '@postern/testkit/postgres-server.ts'

export function hasProgram(name: 'psql' | 'pgbench' | 'pgloader'): boolean {
  return spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0
}

/** Ends the benchmark with a word where the peer is missing: without it there is nothing to compare with. */
export function needProgram(name: 'psql' | 'pgbench'): void {
  if (hasProgram(name)) return
  console.log(`skipped: ${name} is not on this machine (package postgresql-client, postgresql-contrib)`)
  process.exit(0)
}

function env(server: PostgresAddress, database: string): NodeJS.ProcessEnv {
  const { host, port, user, password } = server
  return {
    ...process.env,
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGPASSWORD: password,
    PGDATABASE: database,
    PGSSLMODE: 'disable',
  }
}

/** A shell line with psql in it, signed in to the database. */
export async function shell(line: string, server: PostgresAddress, database: string): Promise<void> {
  const child = spawn('/bin/sh', ['-c', line], { env: env(server, database), stdio: ['ignore', 'ignore', 'inherit'], timeout: 300_000 })
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`${line} ended with ${code}`)
}
