import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectorContract } from '@postern/testkit/connector-contract.ts'
import type { ConnectorRig } from '@postern/testkit/contract/rig.ts'
import { freePort } from '@postern/testkit/free-port.ts'
import { MysqlServer, mysqlMissing } from '@postern/testkit/mysql-server.ts'
import { COMMON_COLUMNS, nastyMysqlTable, OWN_COLUMNS } from '@postern/testkit/nasty-mysql.ts'
import { test } from 'vitest'
import { mysql } from './index.ts'

async function mysqlRig(): Promise<ConnectorRig> {
  const server = await MysqlServer.start()
  const db = await server.database()
  const scratch = await mkdtemp(join(tmpdir(), 'postern-contract-'))
  const settings = { host: db.host, port: db.port, database: db.name, user: db.user }
  const access = { settings, secrets: { password: db.password } }
  const wrong = { password: 'a-wrong-password-8461' }
  return {
    connector: mysql,
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
        access: { settings: { ...settings, ssl: 'required' }, secrets: wrong },
        code: 'STORE_UNREACHABLE',
      },
    ],
    queries: {
      one: 'select 1 as n',
      many: (rows) => `select seq as n, repeat('x', 1000) as filler from seq_1_to_${rows}`,
      slow: (marker) => `select sleep(60) as ${marker}`,
      running: async (marker) => {
        const sql = `select count(*) as n from information_schema.processlist where command = 'Query' and info like ? and id <> connection_id()`
        return Number((await db.query<{ n: number }>(sql, [`%${marker}%`]))[0]?.n)
      },
      change: 'create table changed (n int)',
      broken: 'selekt 1',
    },
    source: {
      fill: async (name, rows) => {
        await db.query(`drop table if exists \`${name}\`; create table \`${name}\` (id bigint primary key, name text)`)
        if (rows > 0) await db.query(`insert into \`${name}\` select seq, concat('name ', seq) from seq_1_to_${rows}`)
        await db.query(`analyze table \`${name}\``)
        return name
      },
      types: () => nastyMysqlTable(db, 'nasty', [...COMMON_COLUMNS, ...OWN_COLUMNS]),
      addRow: async (what) => {
        await db.query(`insert into \`${what}\` values (0, 'one more')`)
      },
      missing: 'no_such_table',
    },
    sink: {
      where: (name) => `${db.name}.${name}`,
      count: async (where) => {
        const [database, table] = where.split('.')
        const there = await db.query(`select 1 from information_schema.tables where table_schema = ? and table_name = ?`, [database, table])
        if (there.length === 0) return 0
        return Number((await db.query<{ n: string }>(`select count(*) as n from ${where}`))[0]?.n)
      },
      residue: async () => {
        const rows = await db.query<{ t: string }>(
          `select table_name as t from information_schema.tables where table_schema = database() and table_name like '\\_postern%'
             and table_name not in ('_postern_commits', '_postern_runs')`,
        )
        return rows.map((row) => row.t)
      },
    },
    async [Symbol.asyncDispose]() {
      await db[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
      await rm(scratch, { recursive: true, force: true })
    },
  }
}

const missing = mysqlMissing()
if (missing) test.skip(`MySQL keeps the connector contract: ${missing}`)
else connectorContract('mysql', mysqlRig, mysql)
