import { Readable } from 'node:stream'
import type { PartStream, Source } from '@postern/connectors/copy-contract.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { Counters } from '@postern/protocol/task-api.ts'
import { describe, expect, test } from 'vitest'
import type { OpenStore } from './engine.ts'
import { expected, rows, setUp, sorted } from './testing/memory-rig.ts'
import type { MemoryStore } from './testing/memory-store.ts'
import { engineOver, expectOutcome, ignore, never, Run, runAll } from './testing/rig.ts'

describe('a copy to which nothing happens', () => {
  test.each([1, 2, 7])('in %i parts has each row once and is verified', async (parts) => {
    const { engine, lake } = setUp()
    const run = new Run({ from: 'orders', to: 'orders', parts, verify: 'checksum' })

    const { finish } = await runAll(engine, run)

    expect(finish.verification).toMatchObject({ status: 'passed', sourceRows: 1_000, targetRows: 1_000 })
    expect(sorted(lake.tables.get('orders'))).toEqual(expected())
    expect(run.plan).toMatchObject({ guarantee: 'exactly-once', holdsSnapshot: true, parts: { length: parts } })
  })

  test('tells each part’s counters with its outcome, and not once more before it', async () => {
    const { engine } = setUp()
    const run = new Run({ from: 'orders', to: 'orders' })
    run.planned(await engine.execute(run.order('plan'), ignore, never()))
    const told: Counters[] = []

    const { counters } = run.moved(0, await engine.execute(run.part(0), (each) => told.push(each), never()))

    expect(counters).toMatchObject({ rowsRead: 1_000, rowsWritten: 1_000 })
    expect(counters.bytesRead).toBe(counters.bytesWritten)
    expect(told).toEqual([])
  })

  test('shows the source as it was when it was planned', async () => {
    const { engine, shop, lake } = setUp()
    const run = new Run({ from: 'orders', to: 'orders', parts: 3, verify: 'checksum' })
    run.planned(await engine.execute(run.order('plan'), ignore, never()))

    shop.tables.set('orders', rows(2_000))
    for (const index of run.tasks.keys()) run.moved(index, await engine.execute(run.part(index), ignore, never()))
    const { finish } = expectOutcome(await engine.execute(run.finish(), ignore, never()), 'finished')

    expect(finish.verification.status).toBe('passed')
    expect(sorted(lake.tables.get('orders'))).toEqual(expected())
  })

  test('leaves no snapshot behind', async () => {
    const { engine, shop } = setUp()

    await runAll(engine, new Run({ from: 'orders', to: 'orders', parts: 3 }))

    expect([engine.snapshots(), shop.snapshots.size]).toEqual([[], 0])
  })
})

describe('planning', () => {
  const refused = async (copy: ConstructorParameters<typeof Run>[0]) => {
    const { engine } = setUp()
    return expectOutcome(await engine.execute(new Run(copy).order('plan'), ignore, never()), 'failed').fault
  }

  test('refuses a mode that the target does not have', async () => {
    expect(await refused({ from: 'orders', to: 'orders', mode: 'upsert' })).toMatchObject({ code: 'COPY_UNSUPPORTED' })
  })

  test('refuses to copy a table onto itself', async () => {
    const fault = await refused({ from: 'orders', to: 'Orders', sink: 'shop' })

    expect(fault).toMatchObject({ code: 'INPUT_INVALID', message: expect.stringContaining('is what the copy reads') })
  })

  test('refuses several parts into one file, and says how to get one file a part', async () => {
    const fault = await refused({ from: 'orders', to: 'orders.one', parts: 2 })

    expect(fault).toMatchObject({ code: 'INPUT_INVALID', remedy: expect.stringContaining('End the path with "/"') })
  })

  test('says which table is missing', async () => {
    expect(await refused({ from: 'nothing', to: 'orders' })).toMatchObject({ code: 'TABLE_MISSING' })
  })

  test('again for the same run does no harm', async () => {
    const { engine, lake } = setUp()
    const run = new Run({ from: 'orders', to: 'orders', parts: 3 })
    const twice = await Promise.all([1, 2].map((attempt) => engine.execute(run.order('plan', { attempt }), ignore, never())))

    for (const outcome of twice) run.planned(outcome)
    for (const index of run.tasks.keys()) run.moved(index, await engine.execute(run.part(index), ignore, never()))
    expectOutcome(await engine.execute(run.finish(), ignore, never()), 'finished')

    expect(sorted(lake.tables.get('orders'))).toEqual(expected())
    expect(engine.snapshots()).toEqual([])
  })

  test('refuses a guarantee that the target cannot give', async () => {
    const { stores } = setUp()
    const weak = { ...stores.lake, connector: { kind: 'weak', can: { sink: { modes: ['append' as const], exactlyOnce: false } } } }
    const engine = engineOver({ ...stores, lake: weak })

    const strict = await engine.execute(new Run({ from: 'orders', to: 'orders' }).order('plan'), ignore, never())
    const mild = await engine.execute(new Run({ from: 'orders', to: 'orders', guarantee: 'at-least-once' }).order('plan'), ignore, never())

    expect(expectOutcome(strict, 'failed').fault.code).toBe('GUARANTEE_IMPOSSIBLE')
    expect(expectOutcome(mild, 'planned').plan.guarantee).toBe('at-least-once')
  })
})

describe('a part', () => {
  const planned = async (count = 1_000) => {
    const rig = setUp(count)
    const run = new Run({ from: 'orders', to: 'orders', parts: 2 })
    run.planned(await rig.engine.execute(run.order('plan'), ignore, never()))
    return { ...rig, run }
  }

  test('executed twice in a row is there once, and the second says so', async () => {
    const { engine, run, lake } = await planned()
    const first = run.moved(0, await engine.execute(run.part(0, 1), ignore, never()))
    const second = run.moved(0, await engine.execute(run.part(0, 2), ignore, never()))
    run.moved(1, await engine.execute(run.part(1), ignore, never()))

    const { finish } = expectOutcome(await engine.execute(run.finish(), ignore, never()), 'finished')

    expect([first.result, second.result]).toMatchObject([{ already: false }, { already: true, commit: { attempt: 1 } }])
    expect(second.counters).toMatchObject({ rowsRead: 500, rowsWritten: 500 })
    expect(finish.notes).toEqual([expect.stringContaining('In the target already')])
    expect(sorted(lake.tables.get('orders'))).toEqual(expected())
  })

  test('executed twice at once is there once', async () => {
    const { engine, run } = await planned()

    const both = await Promise.all([1, 2].map((attempt) => engine.execute(run.part(0, attempt), ignore, never())))

    expect(both.map((outcome) => expectOutcome(outcome, 'moved').result)).toMatchObject([{ already: false }, { already: true }])
  })

  test.each([
    ['CANCELLED', (controller: AbortController) => controller.abort()],
    ['TIMED_OUT', (controller: AbortController) => controller.abort(new DOMException('too long', 'TimeoutError'))],
    ['STOPPING', (controller: AbortController) => controller.abort(new Fault('STOPPING'))],
  ])('that is aborted fails as %s and leaves nothing', async (code, abort) => {
    const { engine, run, lake } = await planned(200_000)
    const controller = new AbortController()
    const execution = engine.execute(run.part(0), ignore, controller.signal)
    setTimeout(() => abort(controller), 5)

    const { fault } = expectOutcome(await execution, 'failed')
    const { rows: left } = await lake.sink.digest({ target: {} as never, run: run.id, columns: [], checksum: false }, never())

    expect([fault.code, left]).toEqual([code, 0])
  })

  test('whose snapshot is gone says so; after a new one the run goes on', async () => {
    const { engine, run, lake } = await planned()
    run.moved(0, await engine.execute(run.part(0), ignore, never()))
    await engine.keepSnapshots([], engine.snapshots())
    const lost = expectOutcome(await engine.execute(run.part(1), ignore, never()), 'failed')

    const { snapshot } = expectOutcome(await engine.execute(run.order('snapshot'), ignore, never()), 'resnapshot')
    run.context = snapshot.context
    run.moved(1, await engine.execute(run.part(1, 2), ignore, never()))
    const { finish } = expectOutcome(await engine.execute(run.finish(), ignore, never()), 'finished')

    expect(lost.fault.code).toBe('SNAPSHOT_LOST')
    expect(finish.verification).toMatchObject({ status: 'passed', notes: [expect.stringContaining('two snapshots')] })
    expect(sorted(lake.tables.get('orders'))).toEqual(expected())
  })

  test.each(['fails', 'just ends'])('whose source %s on the way fails with the source’s own fault', async (how) => {
    const { stores, shop, run } = await planned()
    const engine = engineOver({ ...stores, shop: { ...stores.shop, session: cutShort(shop, how === 'fails') } })

    const { fault } = expectOutcome(await engine.execute(run.part(0), ignore, never()), 'failed')

    expect(fault.code).toBe(how === 'fails' ? 'STORE_UNREACHABLE' : 'INTERNAL')
  })
})

/** A source that stops in the middle of a part. */
function cutShort(store: MemoryStore, withFault: boolean): OpenStore['session'] {
  const bytes = new Readable({ read: () => undefined })
  bytes.push('1,a,b\n')
  setTimeout(() => bytes.destroy(withFault ? new Fault('STORE_UNREACHABLE', { at: 'the line was cut' }) : undefined), 20)
  const source: Source = {
    describe: (...given) => store.source.describe(...given),
    split: (...given) => store.source.split(...given),
    digest: (...given) => store.source.digest(...given),
    read: async (): Promise<PartStream> => ({ bytes, rows: () => 1 }),
  }
  return {
    check: () => store.check(),
    browse: (path) => store.browse(path),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    source,
    sink: store.sink,
  }
}

describe('finishing', () => {
  test('again after it has published says passed and adds nothing', async () => {
    const { engine, lake } = setUp()
    const run = new Run({ from: 'orders', to: 'orders', verify: 'checksum' })
    await runAll(engine, run)

    const { finish } = expectOutcome(await engine.execute(run.finish(), ignore, never()), 'finished')

    expect(finish.verification).toMatchObject({ status: 'passed', targetRows: 1_000 })
    expect(sorted(lake.tables.get('orders'))).toEqual(expected())
  })

  test('with a part missing is refused', async () => {
    const { engine } = setUp()
    const run = new Run({ from: 'orders', to: 'orders', parts: 2 })
    await runAll(engine, run)
    const order = run.finish()

    const { fault } = expectOutcome(await engine.execute({ ...order, parts: order.parts?.slice(1) }, ignore, never()), 'failed')

    expect(fault.message).toContain('1 parts came to be finished, the plan has 2')
  })

  test('cleanup takes away what was not published, also when the source is gone', async () => {
    const { engine, stores, lake } = setUp()
    const run = new Run({ from: 'orders', to: 'orders' })
    run.planned(await engine.execute(run.order('plan'), ignore, never()))
    run.moved(0, await engine.execute(run.part(0), ignore, never()))

    const without = engineOver({ lake: stores.lake })
    expectOutcome(await without.execute(run.order('cleanup'), ignore, never()), 'cleaned')

    expect((await lake.sink.digest({ target: {} as never, run: run.id, columns: [], checksum: false }, never())).rows).toBe(0)
  })

  test('cleanup of a run that was never planned is done at once', async () => {
    const { engine } = setUp()

    expectOutcome(await engine.execute(new Run({ from: 'orders', to: 'orders' }).order('cleanup'), ignore, never()), 'cleaned')
  })
})

test('a snapshot taken after the beat was sent is kept', async () => {
  const { engine } = setUp()
  const reported = engine.snapshots()
  const run = new Run({ from: 'orders', to: 'orders', parts: 2 })
  run.planned(await engine.execute(run.order('plan'), ignore, never()))

  await engine.keepSnapshots([], reported)

  expect(engine.snapshots()).toEqual([run.id])
  await engine[Symbol.asyncDispose]()
  expect(engine.snapshots()).toEqual([])
})
