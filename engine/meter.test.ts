import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { systemClock } from '@postern/base/clock.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { Counters } from '@postern/protocol/task-api.ts'
import { describe, expect, test } from 'vitest'
import { Meter } from './meter.ts'
import { Stopwatch } from './stopwatch.ts'
import { Tally } from './tally.ts'

const CHUNKS = 500
const CHUNK = Buffer.alloc(10_000, 'x')

/** Makes chunks on demand and counts how many were asked for. */
class Source extends Readable {
  made = 0
  override _read(): void {
    this.made += 1
    const last = this.made > CHUNKS
    setImmediate(() => this.push(last ? null : CHUNK))
  }
}

const metered = (bytes: Readable, told: Counters[] = []) =>
  new Meter({
    stream: { bytes, rows: () => 0 },
    tally: new Tally(systemClock, (each) => told.push(each)),
    clock: systemClock,
    watch: new Stopwatch(systemClock),
    limits: () => ({}),
  })
const turn = () => new Promise((resolve) => setImmediate(resolve))

const consumers: Readonly<Record<string, (bytes: Readable) => Promise<number>>> = {
  'for await': async (bytes) => {
    let total = 0
    for await (const chunk of bytes) total += (chunk as Buffer).length
    return total
  },
  pipeline: async (bytes) => {
    let total = 0
    const count = (chunk: Buffer, _: BufferEncoding, done: () => void) => {
      total += chunk.length
      setImmediate(done)
    }
    await pipeline(bytes, new Writable({ write: count }))
    return total
  },
  'pipeline through a generator': async (bytes) => {
    let total = 0
    await pipeline(bytes, async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) total += chunk.length
    })
    return total
  },
  'data events': async (bytes) => {
    let total = 0
    bytes.on('data', (chunk: Buffer) => {
      total += chunk.length
    })
    await new Promise((resolve) => bytes.on('end', resolve))
    return total
  },
  'a look into it first': async (bytes) => {
    await new Promise((resolve) => bytes.once('readable', resolve))
    const chunk = bytes.read()
    if (chunk !== null) bytes.unshift(chunk)
    await turn()
    let total = 0
    for await (const each of bytes) total += (each as Buffer).length
    return total
  },
  'read calls': async (bytes) => {
    let total = 0
    bytes.on('readable', () => {
      for (let chunk = bytes.read(); chunk !== null; chunk = bytes.read()) total += (chunk as Buffer).length
    })
    await new Promise((resolve) => bytes.on('end', resolve))
    return total
  },
}

describe.each(Object.keys(consumers))('a sink that reads by %s', (how) => {
  test('gets every byte, and the meter counts them, also when it begins late', async () => {
    const bytes = new Source()
    const meter = metered(bytes)
    for (let i = 0; i < 20; i++) await turn()

    const total = await consumers[how]?.(meter.bytes)

    expect([total, meter.counted, meter.done]).toEqual([CHUNKS * CHUNK.length, CHUNKS * CHUNK.length, true])
  })
})

test('a sink that does not begin, or stops, holds back the source', async () => {
  const bytes = new Source()
  const meter = metered(bytes)
  for (let i = 0; i < 400; i++) await turn()
  const before = bytes.made

  meter.bytes.pipe(new Writable({ highWaterMark: 1, write: () => undefined }))
  for (let i = 0; i < 400; i++) await turn()

  expect(before).toBeLessThan(150)
  expect(bytes.made).toBeLessThan(150)
  meter.stop()
})

test('a sink that leaves stops the source', async () => {
  const bytes = new Source()
  const meter = metered(bytes)

  meter.bytes.destroy(new Error('the disk is full'))
  await turn()
  await turn()

  expect([bytes.destroyed, meter.done]).toEqual([true, false])
})

describe('the fault of a part', () => {
  const gone = new Fault('STORE_UNREACHABLE')
  const full = new Fault('DISK_FULL')
  const failing = async (act: (bytes: Source, meter: Meter) => void, sinkCause: unknown) => {
    const bytes = new Source()
    const meter = metered(bytes)
    act(bytes, meter)
    for (let i = 0; i < 5; i++) await turn()
    return meter.fault(sinkCause)
  }

  test('is the source’s own when it failed first, whatever that did to the sink', async () => {
    expect(await failing((bytes) => bytes.destroy(gone), full)).toBe(gone)
  })

  test('is the sink’s when it failed first, whatever that did to the source', async () => {
    const sinkFirst = (bytes: Source, meter: Meter) => {
      meter.bytes.destroy(full)
      bytes.destroy(gone)
    }
    expect(await failing(sinkFirst, full)).toBe(full)
  })

  test('is that another attempt has committed, whatever the source says of being stopped', async () => {
    const lost = new Fault('COMMIT_LOST')
    expect(await failing((bytes) => bytes.destroy(gone), lost)).toBe(lost)
  })

  test('is a bug of the source when it stopped without a word', async () => {
    expect(await failing((bytes) => bytes.destroy(), new Error('premature close'))).toMatchObject({ code: 'INTERNAL' })
  })
})
