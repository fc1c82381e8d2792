import { Secret, silentLog } from '@postern/base/log.ts'
import { MysqlServer, mysqlMissing } from '@postern/testkit/mysql-server.ts'
import { describe, expect, test } from 'vitest'
import { mysql } from './index.ts'

const missing = mysqlMissing()
const limit = () => AbortSignal.timeout(20_000)

async function open(server: MysqlServer, host: string) {
  const { port, user, password } = server
  return mysql.open({
    settings: { host, port, user, database: 'information_schema', ssl: host === server.host ? 'off' : 'required' },
    secrets: { password: new Secret(password) },
    log: silentLog,
    scratch: '/tmp',
  })
}

describe.skipIf(missing !== undefined)(`localhost${missing ? `: ${missing}` : ''}`, () => {
  test('is the same place for two that reach one server, and another for one that reaches another', async () => {
    await using one = await MysqlServer.start()
    await using other = await MysqlServer.start()
    await using here = await open(one, one.host)
    await using there = await open(one, one.host)
    await using elsewhere = await open(other, other.host)
    const sees = (session: typeof here, text: string) => session.local?.sees(text, limit())
    const mark = await here.local?.mark(limit())
    const text = mark?.text ?? ''

    const whileMarked = [await sees(there, text), await sees(elsewhere, text), await sees(there, `${text}x`)]
    await mark?.[Symbol.asyncDispose]()
    await here.check(limit())

    expect([here.local?.title, whileMarked, await sees(there, text)]).toEqual(['127.0.0.1', [true, false, false], false])
  })

  test('is no question where the host is a name of its own', async () => {
    await using server = await MysqlServer.start()
    await using session = await open(server, 'db.example.com')

    expect(session.local).toBeUndefined()
  })
})
