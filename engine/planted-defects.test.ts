/** The check of the check: a target that does wrong must be found out. */
import { describe, expect, test } from 'vitest'
import { setUp } from './testing/memory-rig.ts'
import { engineOver, expectOutcome, ignore, never, Run, runAll } from './testing/rig.ts'
import { DEFECTS, SpoiledSink } from './testing/spoiled-sink.ts'

describe('a target with a planted defect', () => {
  const spoiled = async (defect: keyof typeof DEFECTS, verify: 'counts' | 'checksum', lies: boolean) => {
    const { stores, lake } = setUp()
    const sink = new SpoiledSink({ inner: lake.sink, spoil: DEFECTS[defect], lies })
    const session = { check: () => lake.check(), browse: (path: string) => lake.browse(path), sink, [Symbol.asyncDispose]: async () => {} }
    const engine = engineOver({ ...stores, lake: { ...stores.lake, session } })
    const run = new Run({ from: 'orders', to: 'orders', parts: 2, verify })
    return { engine, run, lake }
  }
  const changesRows: readonly (keyof typeof DEFECTS)[] = ['drops the last row', 'writes a row twice']
  const all = Object.keys(DEFECTS) as (keyof typeof DEFECTS)[]

  test.each(all)('that %s is found by checksums and publishes nothing', async (defect) => {
    const { engine, run, lake } = await spoiled(defect, 'checksum', true)

    const { finish } = await runAll(engine, run)

    expect(finish.verification.status).toBe('failed')
    expect(lake.tables.has('orders')).toBe(false)
  })

  test.each(changesRows)('that %s is found by counts', async (defect) => {
    const { engine, run } = await spoiled(defect, 'counts', true)

    const { finish } = await runAll(engine, run)

    expect(finish.verification).toMatchObject({
      status: 'failed',
      sourceRows: 1_000,
      notes: [expect.stringContaining('rows'), expect.any(String)],
    })
  })

  test.each(changesRows)('that %s is found by the part itself when the target counts honestly', async (defect) => {
    const { engine, run } = await spoiled(defect, 'counts', false)
    run.planned(await engine.execute(run.order('plan'), ignore, never()))

    const { fault } = expectOutcome(await engine.execute(run.part(0), ignore, never()), 'failed')

    expect(fault).toMatchObject({ code: 'VERIFICATION_FAILED', details: { sourceRows: 500 } })
  })
})
