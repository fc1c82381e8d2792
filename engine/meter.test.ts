import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { systemClock } from '@postern/base/clock.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { Counters } from '@postern/protocol/node-api.ts'
import { describe, expect, test } from 'vitest'
import { Meter } from './meter.ts'
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
  new Meter({ bytes, rows: () => 0 }, new Tally(systemClock, (each) => told.push(each)), () => undefined)
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

    const total = await consumers[how]?.(bytes)

    expect([total, meter.bytes]).toEqual([CHUNKS * CHUNK.length, CHUNKS * CHUNK.length])
  })
})

test('nothing flows before the sink takes it, and a sink that stops holds back the source', async () => {
  const bytes = new Source()
  const meter = metered(bytes)
  for (let i = 0; i < 50; i++) await turn()
  const before = [meter.bytes, bytes.made < 10]

  const slow = new Writable({ highWaterMark: 1, write: () => undefined })
  bytes.pipe(slow)
  for (let i = 0; i < 50; i++) await turn()

  expect(before).toEqual([0, true])
  expect(bytes.made).toBeLessThan(20)
  bytes.destroy()
})

describe('the fault of a part', () => {
  const failing = async (sourceFault: Error | undefined, sinkCause: unknown) => {
    const bytes = new Source()
    const meter = metered(bytes)
    bytes.destroy(sourceFault)
    await turn()
    return meter.fault(sinkCause)
  }
  const gone = new Fault('STORE_UNREACHABLE')
  const full = new Fault('DISK_FULL')

  test('is the source’s own before what it did to the sink', async () => {
    expect(await failing(gone, new DOMException('aborted', 'AbortError'))).toBe(gone)
  })

  test('is the sink’s when the source was only stopped', async () => {
    expect(await failing(new Fault('CANCELLED'), full)).toBe(full)
  })

  test('is that another attempt has committed, whatever the source says of being stopped', async () => {
    const lost = new Fault('COMMIT_LOST')
    expect(await failing(gone, lost)).toBe(lost)
  })

  test('is a bug of the source when it stopped without a word', async () => {
    expect(await failing(undefined, new DOMException('aborted', 'AbortError'))).toMatchObject({ code: 'INTERNAL' })
  })
})
