import { Secret, silentLog } from '@postern/base/log.ts'
import { type MysqlDatabase, MysqlServer, mysqlMissing } from '@postern/testkit/mysql-server.ts'
import { COMMON_COLUMNS, nastyMysqlTable } from '@postern/testkit/nasty-mysql.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Session } from '../contract.ts'
import type { Statement } from '../query-contract.ts'
import { mysql } from './index.ts'

const missing = mysqlMissing()
const limit = () => AbortSignal.timeout(20_000)

describe.skipIf(missing !== undefined)(`queries on MySQL${missing ? `: ${missing}` : ''}`, () => {
  let server: MysqlServer
  let db: MysqlDatabase
  let session: Session

  beforeAll(async () => {
    server = await MysqlServer.start({ settings: { 'max-allowed-packet': '64M' } })
    db = await server.database()
    const settings = { host: db.host, port: db.port, database: db.name, user: db.user, maxConnections: 2 }
    session = await mysql.open({ settings, secrets: { password: new Secret(db.password) }, log: silentLog, scratch: '/tmp' })
  })

  afterAll(async () => {
    await session?.[Symbol.asyncDispose]()
    await db?.[Symbol.asyncDispose]()
    await server?.[Symbol.asyncDispose]()
  })

  async function ask(sql: string, more: Partial<Statement> = {}): Promise<string> {
    const answer = await session.query?.({ sql, params: [], mode: 'read', format: 'ndjson', ...more }, limit())
    const chunks: Buffer[] = []
    for await (const chunk of answer?.bytes ?? []) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks).toString()
  }
  const code = (work: Promise<unknown>) =>
    work.then(
      () => 'none',
      (fault: { code: string }) => fault.code,
    )

  test('parameters are values of the statement, whatever they hold', async () => {
    const params = [1, `it's "a" \\ ? 😀`, null, true, 1.5]

    expect(await ask('select ? + 1 as n, ? as t, ? as nothing, ? as yes, ? as f', { params })).toBe(
      `${JSON.stringify({ n: 2, t: params[1], nothing: null, yes: 1, f: 1.5 })}\n`,
    )
  })

  test('values look as the README says', async () => {
    await nastyMysqlTable(db, 'nasty', COMMON_COLUMNS)
    const [first = ''] = (await ask('select * from nasty order by id')).split('\n')

    expect(JSON.parse(first)).toMatchObject({
      id: 0,
      b: 0,
      bit1: 0,
      u8: 0,
      i8: '-9223372036854775808',
      n: '-99999999999999999999999999999999999.999999999999999999999999999999',
      t: '',
      l1: 'äöü ÿ €',
      en: 'a',
      by: '\\x',
      bf: '\\x010203',
      d: '1000-01-01',
      ts: '1970-01-01T00:00:01.000000Z',
      dt: '1000-01-01T00:00:00.000000',
      j: { a: [1, 2.5, null], ü: 'ä " 😀' },
      'odd `name"': 1,
    })
    expect((await ask('select * from nasty', { format: 'arrow' })).length).toBeGreaterThan(1_000)
  })

  test('a row longer than a packet of the protocol comes whole', async () => {
    const text = await ask(`select repeat('ab', 10000000) as t, 1 as n`)

    expect(text.length).toBe(20_000_000 + '{"t":"","n":1}\n'.length)
    expect(text.endsWith('ab","n":1}\n')).toBe(true)
  })

  test('a read can change nothing, by whichever way', async () => {
    await db.query('create table kept (n int); insert into kept values (1); create procedure sneak() begin commit; delete from kept; end')
    for (const sql of [
      'delete from kept',
      'call sneak()',
      '/*!40000 call sneak() */',
      'set @a = 1',
      'commit',
      '-- x\n truncate kept',
      `select 1 into outfile '/tmp/x'`,
    ]) {
      expect(await code(ask(sql)), sql).toBe('QUERY_READ_ONLY')
    }
    expect(await code(ask('select 1; delete from kept'))).toBe('QUERY_FAILED')
    expect(await db.query('select * from kept')).toEqual([{ n: 1 }])
  })

  test('a change is made and committed before it is answered', async () => {
    await db.query('create table changed (n int)')

    expect(await ask('insert into changed values (?)', { mode: 'write', params: [7] })).toBe('')
    expect(await db.query('select * from changed')).toEqual([{ n: 7 }])
  })

  test('a statement ends after its time', async () => {
    const began = performance.now()

    expect(await code(ask('select count(*) from seq_1_to_1000000 a, seq_1_to_1000000 b where a.seq * b.seq = 7', { timeoutMs: 300 }))).toBe(
      'TIMED_OUT',
    )
    expect(performance.now() - began).toBeLessThan(5_000)
  })

  test('what a statement leaves in its session is not there for the next', async () => {
    await ask("select get_lock('held', 1), @mine := 5")

    expect(await ask(`select @mine as mine, is_free_lock('held') as free`)).toBe('{"mine":null,"free":1}\n')
  })

  test('a limit of the statement gives way to maxRows, and the connection serves on', async () => {
    for (let i = 0; i < 5; i += 1) {
      const rows = (await ask('select seq from seq_1_to_100000 limit 5000', { maxRows: 3 })).trim().split('\n')
      expect(rows).toHaveLength(3)
    }
  })

  test('a procedure answers with its first result', async () => {
    await db.query('create procedure two() begin select 1 as a; select 2 as b; end')

    expect(await ask('call two()', { mode: 'write' })).toBe('{"a":1}\n')
  })

  test('Arrow refuses a date of zeros instead of making another of it', async () => {
    await db.query(`create table zero (d date); insert into zero values (0)`)

    expect(await ask('select d from zero')).toBe('{"d":"0000-00-00"}\n')
    expect(await code(ask('select d from zero', { format: 'arrow' }))).toBe('QUERY_FAILED')
  })
})
