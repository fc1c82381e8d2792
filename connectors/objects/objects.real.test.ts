/** What object stores must hold beyond the contract, on an S3 server and on Azurite: names, bounds, and what is read. */
import { readdir } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { faultOf } from '@postern/testkit/fault-of.ts'
import { waitFor } from '@postern/testkit/wait-for.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ObjectSession } from './object-session.ts'
import { soon } from './testing/object-rig.ts'
import { prepare, publish, readAll, write } from './testing/sink-steps.ts'
import { TestObjectStore, VENDORS } from './testing/test-object-store.ts'

/** A query needs a process of its own: one name is enough. */
const HARDEST = 'quote\'and"double'

describe.each(VENDORS)('%s', (_vendor, start) => {
  let store: TestObjectStore
  let shared: ObjectSession
  beforeAll(async () => {
    store = await TestObjectStore.start(start)
    shared = store.open('shared')
  })
  afterAll(() => store?.[Symbol.asyncDispose]())

  test.each(['a b', 'plus+and%20percent%', 'ünï/çödé 日本', HARDEST, 'hash#question?=', 'brackets[x]{y}*'])(
    'an object named %s is written, listed, read and queried',
    async (name) => {
      const before = await store.keys('shared/')
      const target = await prepare(shared, `${name}.csv`)
      await publish(shared, target, [await write(shared, target, '1,a\n2,b\n')])

      expect((await store.keys('shared/')).filter((key) => !before.includes(key))).toEqual([`shared/${name}.csv`])
      const shape = await shared.source.describe(`${name}.csv`, {}, soon())
      expect(await readAll(shared, shape)).toBe('1,a\n2,b\n')
      if (name !== HARDEST) return
      const sql = `select count(*) as n from '${name.replaceAll("'", "''")}.csv'`
      expect(JSON.parse(await ask(shared, sql))).toEqual([{ n: 2 }])
    },
  )

  test('an empty object is told as what it is, and a copy of no rows makes an object with a header', async () => {
    const session = store.open('empty')
    await store.put('empty/empty.csv', '')
    const target = await prepare(session, 'none.csv')
    await publish(session, target, [await write(session, target, '')])

    expect((await faultOf(session.source.describe('empty.csv', {}, soon()))).code).toBe('ROW_INVALID')
    expect((await session.source.describe('none.csv', {}, soon())).columns.map(({ name }) => name)).toEqual(['id', 'name'])
  })

  test('nothing outside of the prefix can be named', async () => {
    const session = store.open('outside')
    await store.put('outside.csv', 'id\n1\n')

    for (const path of ['../outside.csv', '/outside.csv', 'a/../../outside.csv']) {
      expect((await faultOf(session.source.describe(path, {}, soon()))).code, path).toBe('PATH_OUTSIDE')
      expect((await faultOf(session.browse(path, soon()))).code, path).toBe('PATH_OUTSIDE')
      expect((await faultOf(prepare(session, path))).code, path).toBe('PATH_OUTSIDE')
      expect((await faultOf(ask(session, `select * from '${path}'`))).code, path).toBe('PATH_OUTSIDE')
    }
    expect((await faultOf(ask(session, `select * from '${store.scratch}/x.csv'`))).code).toBe('PATH_OUTSIDE')
    expect(await store.keys('outside/')).toEqual([])
  })

  test('an object that changes after it was planned fails the part', async () => {
    const session = store.open('changing')
    await store.put('changing/changing.csv', 'id,name\n1,a\n')
    const shape = await session.source.describe('changing.csv', {}, soon())
    await store.put('changing/changing.csv', 'id,name\n9,z\n')

    expect((await faultOf(readAll(session, shape))).code).toBe('STORE_LOST')
  })

  test('scratch space is bounded, and given back', async () => {
    const session = store.open('scratch', { scratchMb: 1 })
    const rows = Array.from({ length: 60_000 }, (_, i) => `${i},${'x'.repeat(20)}\n`).join('')
    await store.put('scratch/large.csv', `id,name\n${rows}`)
    await store.put('scratch/small.csv', 'id,name\n1,a\n')

    expect((await faultOf(ask(session, `select count(*) from 'large.csv'`))).code).toBe('INPUT_INVALID')
    const answers = await Promise.all(Array.from({ length: 6 }, () => ask(session, `select count(*) as n from 'small.csv'`)))
    expect(answers.map((answer) => JSON.parse(answer))).toEqual(answers.map(() => [{ n: 1 }]))
    await waitFor(
      'the copies are gone',
      async () => (await readdir(store.scratch, { recursive: true })).filter((name) => name.includes('objects-')).length === 0,
    )
  })

  test('a wrong credential is named, and no secret is in the fault', async () => {
    const secrets = Object.fromEntries(
      Object.keys(store.server.access.secrets ?? {}).map((name) => [name, Buffer.from('a wrong secret').toString('base64')]),
    )
    const session = store.open('wrong', { secrets })
    const faults = [
      await faultOf(session.check(soon())),
      await faultOf(session.browse('', soon())),
      await faultOf(session.source.describe('a.csv', {}, soon())),
      await faultOf(prepare(session, 'a.csv')),
      await faultOf(ask(session, `select * from 'a.csv'`)),
    ]

    expect(new Set(faults.map(({ code }) => code))).toEqual(new Set(['STORE_DENIED']))
    for (const fault of faults) {
      const all = `${JSON.stringify(fault)} ${fault.stack} ${String(fault.cause)}`
      for (const secret of Object.values(secrets)) expect(all).not.toContain(secret)
    }
  })
})

async function ask(session: ObjectSession, sql: string): Promise<string> {
  const answer = await session.query({ sql, params: [], mode: 'read', format: 'json' }, soon())
  return (await text(answer.bytes)).trim()
}
