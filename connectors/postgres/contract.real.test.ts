import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectorContract } from '@postern/testkit/connector-contract.ts'
import type { ConnectorRig } from '@postern/testkit/contract/rig.ts'
import { freePort } from '@postern/testkit/free-port.ts'
import { nastyTable } from '@postern/testkit/nasty-rows.ts'
import { testDatabase } from '@postern/testkit/postgres.ts'
import { postgres } from './index.ts'

async function postgresRig(): Promise<ConnectorRig> {
  const db = await testDatabase()
  const scratch = await mkdtemp(join(tmpdir(), 'postern-contract-'))
  const settings = { host: db.host, port: db.port, database: db.name, user: db.user }
  const access = { settings, secrets: { password: db.password } }
  const wrong = { password: 'a-wrong-password-8461' }
  return {
    connector: postgres,
    access,
    scratch,
    failing: [
      {
        why: 'nothing listens there',
        access: { settings: { ...settings, port: await freePort() }, secrets: wrong },
        code: 'STORE_UNREACHABLE',
      },
      {
        why: 'no such host',
        access: { settings: { ...settings, host: 'no-such-host.invalid' }, secrets: wrong },
        code: 'STORE_UNREACHABLE',
      },
      { why: 'wrong password', access: { settings, secrets: wrong }, code: 'STORE_DENIED' },
      { why: 'no such database', access: { settings: { ...settings, database: 'nope' }, secrets: access.secrets }, code: 'STORE_DENIED' },
      {
        why: 'TLS is asked for and not there',
        access: { settings: { ...settings, sslmode: 'require' }, secrets: wrong },
        code: 'STORE_UNREACHABLE',
      },
    ],
    queries: {
      one: 'select 1 as n',
      many: (rows) => `select n, repeat('x', 1000) as filler from generate_series(1, ${rows}) n`,
      slow: (marker) => `select pg_sleep(60) as ${marker}`,
      running: async (marker) => {
        const sql = `select count(*)::int as n from pg_stat_activity where state = 'active' and query like $1 and pid <> pg_backend_pid()`
        return Number((await db.query<{ n: number }>(sql, [`%${marker}%`]))[0]?.n)
      },
      change: 'create table changed (n int)',
      broken: 'selekt 1',
    },
    source: {
      fill: async (name, rows) => {
        await db.query(`drop table if exists "${name}"; create table "${name}" (id bigint primary key, name text);
          insert into "${name}" select n, 'name ' || n from generate_series(1, ${rows}) n; analyze "${name}"`)
        return name
      },
      types: () => nastyTable(db, 'nasty'),
      addRow: async (what) => {
        await db.query(`insert into "${what}" values (0, 'one more')`)
      },
      missing: 'public.no_such_table',
    },
    sink: {
      where: (name) => `public.${name}`,
      count: async (where) => {
        const [there] = await db.query<{ oid: string | null }>('select to_regclass($1)::text as oid', [where])
        if (there?.oid == null) return 0
        return Number((await db.query<{ n: string }>(`select count(*) as n from ${where}`))[0]?.n)
      },
      residue: async () => {
        const rows = await db.query<{ relname: string }>(`select relname from pg_class where relname like '\\_postern%'`)
        return rows.map((row) => row.relname)
      },
    },
    async [Symbol.asyncDispose]() {
      await db[Symbol.asyncDispose]()
      await rm(scratch, { recursive: true, force: true })
    },
  }
}

connectorContract('postgres', postgresRig, postgres)
