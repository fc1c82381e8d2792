/** A store of kind mysql through the service and its nodes: queries, copies, and its own client by `postern connect`. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { RunView } from '@postern/protocol/api/runs.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Cluster } from './cluster.ts'
import { type MysqlDatabase, MysqlServer, mysqlMissing } from './mysql-server.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'
import { PosternProcess } from './process.ts'
import { waitFor } from './wait-for.ts'

const run = promisify(execFile)
const missing = mysqlMissing()

describe.skipIf(missing !== undefined)(`a store of kind mysql${missing ? `: ${missing}` : ''}`, () => {
  let cluster: Cluster
  let server: MysqlServer
  let crm: MysqlDatabase
  let shop: TestDatabase

  beforeAll(async () => {
    server = await MysqlServer.start()
    crm = await server.database()
    shop = await testDatabase()
    cluster = await Cluster.start()
    const { host, port, user, password, name: database } = crm
    await cluster.store('crm', 'mysql', { settings: { host, port, user, database }, secrets: { password } })
    await cluster.postgresStore('shop', shop)
    await crm.query(`create table orders (id bigint primary key, name text, amount decimal(10,2), placed timestamp(6) null);
      insert into orders select seq, concat('order\\t', seq), seq / 4, from_unixtime(seq * 1000) from seq_1_to_20000; analyze table orders`)
  })

  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]()
    await shop?.[Symbol.asyncDispose]()
    await crm?.[Symbol.asyncDispose]()
    await server?.[Symbol.asyncDispose]()
  })

  test('answers queries with parameters', async () => {
    const { code, stdout } = await cluster.cli([
      'query',
      'crm',
      'select id, amount from orders where id = ?',
      '--param',
      '3',
      '--format',
      'ndjson',
    ])

    expect([code, stdout]).toEqual([0, '{"id":3,"amount":0.75}\n'])
  })

  test('is copied into PostgreSQL by all nodes, and back', async () => {
    const ended = async (request: Parameters<Cluster['startCopy']>[0]) => {
      const { id } = await cluster.startCopy(request)
      return waitFor(
        'the run has ended',
        () => cluster.client.runs.get(id),
        ({ endedAt }) => endedAt !== null,
        { timeoutMs: 60_000 },
      )
    }
    const there = await ended({ source: 'crm', sink: 'shop', from: 'orders', to: 'orders', parts: 4, verify: 'checksum' })
    const back = await ended({ source: 'shop', sink: 'crm', from: 'orders', to: 'copied', parts: 3, mode: 'overwrite', verify: 'checksum' })

    expect([there.status, there.guarantee, back.status, back.guarantee]).toEqual(['succeeded', 'exactly-once', 'succeeded', 'exactly-once'])
    expect(there.notes.join(' ')).toContain('do not change it meanwhile')
    const [row] = await crm.query<{ n: string }>(
      `select count(*) as n from orders o join copied c on c.id = o.id and c.name = o.name and c.amount = o.amount and c.placed = o.placed`,
    )
    expect(Number(row?.n)).toBe(20_000)
  })

  test('is read at one moment by one of the nodes, where that is asked for', async () => {
    const words = ['copy', 'crm', 'shop', '--from', 'orders', '--to', 'at_once', '--parts', '4', '--verify', 'checksum', '--json']

    const done = await cluster.cli([...words, '--read', 'consistent=true'])

    expect(done.code, done.stderr).toBe(0)
    const view = done.json<RunView>()
    const readers = new Set(view.tasks.filter(({ kind }) => kind !== 'cleanup').map(({ node }) => node))
    expect([view.status, view.verification.status, view.tasks.length, readers.size]).toEqual(['succeeded', 'passed', 6, 1])
    expect(view.notes.join(' ')).toContain('all by the node that holds it')
    expect(view.notes.join(' ')).not.toContain('do not change it meanwhile')
  })

  test.each([
    ['appended to', 'append', 'create table fixed_append like orders'],
    ['overwritten', 'overwrite', 'select 1'],
    ['upserted', 'upsert', 'select 1'],
  ])('in which somebody has changed a row of a table that was %s is repaired by the part that it is of', async (_, mode, before) => {
    await crm.query(before)
    const to = `fixed_${mode}`
    const asked = ['copy', 'crm', 'crm', '--from', 'orders', '--to', to, '--parts', '4', '--mode', mode, '--key', 'id']
    const copied = await cluster.cli([...asked, '--verify', 'checksum', '--json'])
    expect(copied.code, copied.stderr).toBe(0)
    await crm.query(`update ${to} set name = 'somebody' where id = 7`)

    const repaired = await cluster.cli(['run', 'repair', copied.json<RunView>().id, '--json'])

    expect(repaired.code, repaired.stderr).toBe(0)
    const view = repaired.json<RunView>()
    expect([view.status, view.verification.status]).toEqual(['succeeded', 'passed'])
    expect(view.tasks.filter(({ kind, name }) => kind === 'part' && name.endsWith('(again)'))).toHaveLength(1)
    expect(await crm.query(`select id from ${to} f left join orders o using (id, name, amount, placed) where o.id is null`)).toEqual([])
  })

  test("its own client gets through `postern connect` with the store's password", async () => {
    await using opened = new PosternProcess(['connect', 'crm'], { env: cluster.service.env })
    const port = (await opened.start()).split(':')[1] ?? ''
    const args = [
      '--no-defaults',
      '-h',
      '127.0.0.1',
      '-P',
      port,
      '-u',
      crm.user,
      '--skip-ssl',
      '-N',
      crm.name,
      '-e',
      'select count(*) from orders',
    ]

    const { stdout } = await run('mariadb', args, { env: { ...process.env, MYSQL_PWD: crm.password }, timeout: 30_000 })

    expect(stdout).toBe('20000\n')
  })
})
