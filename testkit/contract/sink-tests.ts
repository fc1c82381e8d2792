import { PassThrough } from 'node:stream'
import type { Connector } from '@postern/connectors/contract.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { expect, test } from 'vitest'
import { faultOf } from '../fault-of.ts'
import { SmallCopy, sharedEncodings } from './small-copy.ts'
import { limit, required, type SuiteParts } from './suite.ts'

export function sinkTests({ rig, session }: SuiteParts, connector: Connector): void {
  const sinkRig = () => required(rig().sink)
  const sourceRig = () => required(rig().source)
  const modes = connector.can.sink?.modes ?? []

  test.each(['values of every type', 'plain rows'])('%s come out as they went in, whichever encoding is offered first', async (kind) => {
    const plain = kind === 'plain rows'
    const what = await required((plain ? undefined : sourceRig().types?.()) ?? sourceRig().fill('contract_types', 500))
    const shape = await required(session().source).describe(what, {}, limit())
    for (const encoding of sharedEncodings(session(), shape, sinkRig().where('contract_types_x'))) {
      const where = sinkRig().where(`contract_${plain ? 'plain' : 'types'}_${encoding.replace('-', '_')}`)
      const copy = await SmallCopy.prepare(session(), { what, where, encoding, mode: 'append', verify: 'checksum' })
      await copy.all()
      const asked = { shape, part: null, snapshot: null, columns: shape.columns, checksum: true }
      const from = await required(session().source).digest(asked, limit())
      const into = await copy.digest(true)
      await copy.publish()

      expect(into, encoding).toEqual(from)
    }
  })

  test.each(modes)('%s: a part that is written twice is there once', async (mode) => {
    const what = await sourceRig().fill(`contract_once_${mode}`, 300)
    const copy = await SmallCopy.prepare(session(), { what, where: sinkRig().where(`contract_once_${mode}_to`), mode, key: ['id'] })
    const first = await copy.write(0, 1)
    const second = await faultOf(copy.write(0, 2))

    expect(first.rows).toBe(300)
    expect(second.code).toBe('COMMIT_LOST')
    expect(await copy.committed(0)).toMatchObject({ rows: 300, attempt: 1 })
    expect((await copy.digest(false)).rows).toBe(300)
    await copy.publish()
    await copy.publish()
    expect(await sinkRig().count(copy.where)).toBe(300)
    expect(await sinkRig().residue()).toEqual([])
  })

  test('of two attempts at the same time one commits', async () => {
    const what = await sourceRig().fill('contract_race', 300)
    const copy = await SmallCopy.prepare(session(), { what, where: sinkRig().where('contract_race_to'), mode: 'append' })
    const outcomes = await Promise.allSettled([copy.write(0, 1), copy.write(0, 2)])
    await copy.publish()

    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1)
    const lost = outcomes.find((outcome) => outcome.status === 'rejected')
    expect(Fault.from(lost?.reason).code).toBe('COMMIT_LOST')
    expect(await sinkRig().count(copy.where)).toBe(300)
  })

  test('a source that breaks leaves no row and no commit record', async () => {
    const what = await sourceRig().fill('contract_broken', 300)
    const copy = await SmallCopy.prepare(session(), { what, where: sinkRig().where('contract_broken_to'), mode: 'append' })
    const broken = new PassThrough()
    const written = faultOf(copy.writeBytes(0, 1, broken))
    broken.destroy(new Fault('STORE_LOST', { at: 'the test broke it' }))

    expect((await written).code).toBe('STORE_LOST')
    expect(await copy.committed(0)).toBeUndefined()
    expect((await copy.write(0, 2)).rows).toBe(300)
    await copy.publish()
    expect(await sinkRig().count(copy.where)).toBe(300)
  })

  test('a part without rows is committed too', async () => {
    const what = await sourceRig().fill('contract_empty', 0)
    const copy = await SmallCopy.prepare(session(), { what, where: sinkRig().where('contract_empty_to'), mode: 'append' })
    await copy.all()

    expect(await copy.committed(0)).toMatchObject({ rows: 0 })
    await copy.publish()
    expect(await sinkRig().count(copy.where)).toBe(0)
  })

  test.runIf(modes.includes('overwrite'))('an overwrite shows the old rows until it is published', async () => {
    const where = sinkRig().where('contract_over_to')
    const old = await SmallCopy.prepare(session(), { what: await sourceRig().fill('contract_over_a', 50), where, mode: 'append' })
    await old.all()
    await old.publish()
    const fresh = await SmallCopy.prepare(session(), { what: await sourceRig().fill('contract_over_b', 80), where, mode: 'overwrite' })
    await fresh.all()

    expect(await sinkRig().count(where)).toBe(50)
    await fresh.publish()
    expect(await sinkRig().count(where)).toBe(80)
    expect(await sinkRig().residue()).toEqual([])
  })

  test.runIf(modes.includes('overwrite'))('discard leaves nothing of a run', async () => {
    const where = sinkRig().where('contract_discard_to')
    const copy = await SmallCopy.prepare(session(), { what: await sourceRig().fill('contract_discard', 50), where, mode: 'overwrite' })
    await copy.all()
    await copy.discard()
    await copy.discard()

    expect(await sinkRig().count(where)).toBe(0)
    expect(await sinkRig().residue()).toEqual([])
  })

  test.runIf(modes.includes('upsert'))('an upsert changes the rows that are there and adds the others', async () => {
    const where = sinkRig().where('contract_upsert_to')
    for (const rows of [50, 80, 80]) {
      const what = await sourceRig().fill(`contract_upsert_${rows}`, rows)
      const copy = await SmallCopy.prepare(session(), { what, where, mode: 'upsert', key: ['id'] })
      await copy.all()
      await copy.publish()

      expect(await sinkRig().count(where)).toBe(rows)
    }
  })
}
