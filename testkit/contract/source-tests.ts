import type { Connector, Session } from '@postern/connectors/contract.ts'
import type { Encoding, Part, Shape } from '@postern/connectors/copy-contract.ts'
import { expect, test } from 'vitest'
import { faultOf } from '../fault-of.ts'
import { drained, limit, required, type SuiteParts } from './suite.ts'

export function sourceTests({ rig, session }: SuiteParts, connector: Connector): void {
  const sourceRig = () => required(rig().source)
  const source = () => required(session().source)

  test('a source that is not there is told as missing', async () => {
    const fault = await faultOf(source().describe(sourceRig().missing, {}, limit()))

    expect(['TABLE_MISSING', 'FILE_MISSING']).toContain(fault.code)
  })

  test.each([1, 2, 5, null])('every row is read once when cut in %s', async (wanted) => {
    const what = await sourceRig().fill(`contract_split_${wanted ?? 'auto'}`, 2_500)
    const shape = await source().describe(what, {}, limit())
    const [encoding] = shape.encodings
    const parts = await source().split(shape, { wanted, snapshot: null }, limit())
    const whole = await source().digest({ shape, part: null, snapshot: null, columns: shape.columns, checksum: true }, limit())
    let rows = 0
    for (const part of parts) rows += await rowsRead(session(), shape, part, required(encoding))

    expect(parts.length).toBeGreaterThan(0)
    expect(parts.length).toBeLessThanOrEqual(wanted ?? 256)
    expect(new Set(parts.map((part) => part.name)).size).toBe(parts.length)
    expect(rows).toBe(2_500)
    expect(whole.rows).toBe(2_500)
    await expectSumOfParts(session(), shape, parts, whole)
  })

  test('the shape and the parts of a source are JSON', async () => {
    const what = await sourceRig().fill('contract_json', 10)
    const shape = await source().describe(what, {}, limit())
    const parts = await source().split(shape, { wanted: 2, snapshot: null }, limit())

    expect(JSON.parse(JSON.stringify({ shape, parts }))).toEqual({ shape, parts })
  })

  test('an aborted read ends with a fault', async () => {
    const what = await sourceRig().fill('contract_abort', 200_000)
    const shape = await source().describe(what, {}, limit())
    const [part] = await source().split(shape, { wanted: 1, snapshot: null }, limit())
    const abort = new AbortController()
    const stream = await source().read(
      { shape, part: required(part), encoding: required(shape.encodings[0]), snapshot: null },
      abort.signal,
    )
    const ended = faultOf(drained(stream.bytes))

    abort.abort()

    expect((await ended).code).toBe('CANCELLED')
  })

  test.runIf(connector.can.source?.snapshot)('readers of one snapshot see one moment', async () => {
    const what = await sourceRig().fill('contract_snapshot', 100)
    await using snapshot = await required(source().snapshot?.(limit()))
    await required(sourceRig().addRow?.(what))
    const shape = await source().describe(what, {}, limit())
    const parts = await source().split(shape, { wanted: 2, snapshot: snapshot.id }, limit())
    const digest = await source().digest({ shape, part: null, snapshot: snapshot.id, columns: shape.columns, checksum: false }, limit())
    const after = await source().digest({ shape, part: null, snapshot: null, columns: shape.columns, checksum: false }, limit())
    let rows = 0
    for (const part of parts) rows += await rowsRead(session(), shape, part, required(shape.encodings[0]), snapshot.id)

    expect([rows, digest.rows, after.rows]).toEqual([100, 100, 101])
  })

  test.runIf(connector.can.source?.snapshot)('a snapshot that is gone is told as lost', async () => {
    const what = await sourceRig().fill('contract_snapshot_gone', 10)
    const shape = await source().describe(what, {}, limit())
    const snapshot = await required(source().snapshot?.(limit()))
    const id = snapshot.id
    await snapshot[Symbol.asyncDispose]()
    const [part] = await source().split(shape, { wanted: 1, snapshot: null }, limit())
    const read = source().read({ shape, part: required(part), encoding: required(shape.encodings[0]), snapshot: id }, limit())

    expect((await faultOf(read)).code).toBe('SNAPSHOT_LOST')
  })
}

async function rowsRead(session: Session, shape: Shape, part: Part, encoding: Encoding, snapshot: string | null = null): Promise<number> {
  const stream = await required(session.source).read({ shape, part, encoding, snapshot }, limit())
  await drained(stream.bytes)
  return stream.rows()
}

async function expectSumOfParts(session: Session, shape: Shape, parts: readonly Part[], whole: { checksum: string | null }): Promise<void> {
  let sum = 0n
  for (const part of parts) {
    const digest = await required(session.source).digest({ shape, part, snapshot: null, columns: shape.columns, checksum: true }, limit())
    sum += BigInt(digest.checksum ?? 0)
  }
  expect(String(sum)).toBe(whole.checksum)
}
