/** Copies into folders by values: exactly the rows of the source come back, and a part that is damaged is put right. */
import { bucketOf, keysOf } from '@postern/connectors/objects/testing/object-rig.ts'
import { azurite, s3Server } from '@postern/testkit/object-store.ts'
import { type TestDatabase, testDatabase } from '@postern/testkit/postgres.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { differing, makeOrders, type OpenedStore, openPostgres, openStore } from './testing/real-stores.ts'
import { engineOver, expectOutcome, ignore, never, Run, runAll } from './testing/rig.ts'

const COLUMNS = 'id, name, price, town, year, open'
const FROM = '(select id, name, price, town, 2025 + (id % 2)::int as year, open from orders)'
let database: TestDatabase
let shop: OpenedStore

beforeAll(async () => {
  database = await testDatabase()
  await makeOrders(database, 600)
  shop = await openPostgres(database)
  await database.query(`create table flat as select * from ${FROM} as t`)
})

afterAll(async () => {
  await shop?.[Symbol.asyncDispose]()
  await database?.[Symbol.asyncDispose]()
})

async function back(lake: OpenedStore, to: string): Promise<number> {
  await database.query('drop table if exists copy.again')
  await using engine = engineOver({ shop: lake, lake: shop })
  await runAll(engine, new Run({ from: to, to: 'copy.again', verify: 'checksum' }))
  return differing(database, 'flat', 'copy.again', COLUMNS)
}

describe.each([
  { kind: 's3', start: s3Server },
  { kind: 'azure-blob', start: azurite },
])('$kind', ({ kind, start }) => {
  test.each(['csv', 'parquet'] as const)('folders of .%s objects', { timeout: 180_000 }, async (ending) => {
    await using server = await start()
    await using lake = await openStore(kind, server.access.settings, server.access.secrets)
    await using engine = engineOver({ shop, lake })
    const bucket = bucketOf(server.access)
    const to = `orders.${ending}/`
    const copy = { from: FROM, to, splitBy: 'id', parts: 2, partitionBy: ['year', 'open'] }
    const counts = await runAll(engine, new Run({ ...copy, verify: 'counts' }))
    const run = new Run({ ...copy, verify: 'checksum', mode: 'overwrite' })
    const { finish } = await runAll(engine, run)

    expect([counts.finish.verification.status, finish.verification.status]).toEqual(['passed', 'passed'])
    expect(await back(lake, to)).toBe(0)
    const before = (await keysOf(bucket, to)).filter((key) => key.includes('part-'))
    expect(before.every((key) => /year=20\d\d\/open=(true|false|__HIVE_DEFAULT_PARTITION__)\/part-/.test(key))).toBe(true)

    const [broken = '', ...others] = before
    await bucket.delete([broken], never())
    const { repair } = expectOutcome(await engine.execute(run.order('repair', { parts: run.finish().parts }), ignore, never()), 'repaired')
    run.context = expectOutcome(await engine.execute(run.order('snapshot'), ignore, never()), 'resnapshot').snapshot.context
    for (const [at, { spec }] of repair.parts.entries()) {
      const index = run.tasks.findIndex(({ id }) => id === repair.replaces[at])
      run.tasks[index] = { id: run.order('part').task, spec }
      run.moved(index, await engine.execute(run.part(index), ignore, never()))
    }
    const repaired = expectOutcome(await engine.execute(run.finish(), ignore, never()), 'finished').finish

    expect([repair.parts.length, repaired.verification.status]).toEqual([1, 'passed'])
    expect(await back(lake, to)).toBe(0)
    const after = (await keysOf(bucket)).filter((key) => key.includes('part-'))
    expect(after).toHaveLength(before.length)
    expect(after.filter((key) => others.includes(key)).length).toBeGreaterThan(0)
    bucket.close()
  })
})

test('a table has no folders', async () => {
  await using engine = engineOver({ shop, lake: shop })

  const outcome = await engine.execute(new Run({ from: 'orders', to: 'copy.away', partitionBy: ['town'] }).order('plan'), ignore, never())

  expect(JSON.stringify(outcome)).toContain('COPY_UNSUPPORTED')
})
