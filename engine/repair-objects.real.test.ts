/** Repair of objects: the object of a part that differs is written again, under one new manifest. */
import { buffer } from 'node:stream/consumers'
import { bucketOf, keysOf } from '@postern/connectors/objects/testing/object-rig.ts'
import { azurite, s3Server } from '@postern/testkit/object-store.ts'
import { type TestDatabase, testDatabase } from '@postern/testkit/postgres.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { differing, makeOrders, type OpenedStore, openPostgres, openStore } from './testing/real-stores.ts'
import { engineOver, expectOutcome, ignore, never, Run, runAll } from './testing/rig.ts'

const FROM = '(select id, name, day, at, town from orders)'
let database: TestDatabase
let shop: OpenedStore

beforeAll(async () => {
  database = await testDatabase()
  await makeOrders(database, 1_000)
  shop = await openPostgres(database)
})

afterAll(async () => {
  await shop?.[Symbol.asyncDispose]()
  await database?.[Symbol.asyncDispose]()
})

type Engine = ReturnType<typeof engineOver>

/** As the service does it, after the copy's snapshot has gone. */
async function repaired(run: Run, engine: Engine) {
  const { repair } = expectOutcome(await engine.execute(run.order('repair', { parts: run.finish().parts }), ignore, never()), 'repaired')
  run.context = expectOutcome(await engine.execute(run.order('snapshot'), ignore, never()), 'resnapshot').snapshot.context
  for (const [at, { spec }] of repair.parts.entries()) {
    const index = run.tasks.findIndex(({ id }) => id === repair.replaces[at])
    run.tasks[index] = { id: run.order('part').task, spec }
    run.moved(index, await engine.execute(run.part(index), ignore, never()))
  }
  const { finish } = expectOutcome(await engine.execute(run.finish(), ignore, never()), 'finished')
  return { parts: repair.parts.length, status: finish.verification.status }
}

describe.each([
  { kind: 's3', start: s3Server },
  { kind: 'azure-blob', start: azurite },
])('a prefix of $kind', ({ kind, start }) => {
  test.each(['csv', 'parquet'])('with a .%s object that is damaged gets a new object and a new manifest', async (ending) => {
    await using server = await start()
    await using lake = await openStore(kind, server.access.settings, server.access.secrets)
    await using engine = engineOver({ shop, lake })
    const bucket = bucketOf(server.access)
    const to = `orders.${ending}/`
    const run = new Run({ from: FROM, to, splitBy: 'id', parts: 4, verify: 'checksum' })
    expect((await runAll(engine, run)).finish.verification.status).toBe('passed')
    const before = (await keysOf(bucket, to)).filter((key) => key.includes('part-'))
    const [broken = '', ...others] = before
    const found = await bucket.get(broken, {}, never())
    const bytes = found ? await buffer(found) : Buffer.alloc(0)
    await bucket.put(broken, bytes.subarray(0, Math.floor(bytes.length / 2)), false, never())

    expect(await repaired(run, engine)).toEqual({ parts: 1, status: 'passed' })

    const after = await keysOf(bucket)
    expect(after.filter((key) => others.includes(key))).toEqual(others)
    expect(after).not.toContain(broken)
    expect(after).toHaveLength(before.length + 1)
    await database.query('drop schema copy cascade; create schema copy; create table copy.again (like orders)')
    await using back = engineOver({ shop: lake, lake: shop })
    await runAll(back, new Run({ from: to, to: 'copy.again' }))
    expect(await differing(database, 'orders', 'copy.again', 'id, name, day, at, town')).toBe(0)
    bucket.close()
  })
})
