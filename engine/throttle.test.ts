import { PassThrough, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { TaskLimits } from '@postern/protocol/task-api.ts'
import { HandClock } from '@postern/testkit/hand-clock.ts'
import { expect, test } from 'vitest'
import { Meter } from './meter.ts'
import { Stopwatch } from './stopwatch.ts'
import { Tally } from './tally.ts'

const never = AbortSignal.timeout(20_000)

/** Moves pieces of `pieceBytes`, each of `pieceRows` rows, on a clock that only the throttle waits for; resolves with how long it took. */
async function moved(pieces: number, pieceBytes: number, pieceRows: number, limits: () => TaskLimits) {
  const clock = new HandClock()
  const bytes = new PassThrough()
  let rows = 0
  const watch = new Stopwatch(clock)
  const meter = new Meter({ stream: { bytes, rows: () => rows }, tally: new Tally(clock, () => undefined), clock, watch, limits })
  const all = pipeline(meter.bytes, new Writable({ write: (_chunk, _encoding, done) => done() }), { signal: never })
  let over = false
  all.finally(() => {
    over = true
  })
  for (let i = 0; i < pieces; i += 1) {
    rows += pieceRows
    bytes.write(Buffer.alloc(pieceBytes))
  }
  bytes.end()
  while (!over) await clock.advance(20)
  await all
  return { ms: clock.monotonic(), limitMs: watch.limitMs, counted: meter.counted }
}

test.each([1_000, 65_536, 700_000])('1 MB/s holds within 5 percent in pieces of %i bytes', async (piece) => {
  const pieces = Math.ceil(20_000_000 / piece)

  const { ms, counted } = await moved(pieces, piece, 1, () => ({ bytesPerSecond: 1_000_000 }))

  expect(counted / (ms / 1_000)).toBeGreaterThan(950_000)
  // The first piece goes out at once, and the last is paid for when nobody waits any more.
  expect((counted - piece) / (ms / 1_000)).toBeLessThan(1_050_000)
})

test('of rows and bytes the tighter limit holds', async () => {
  const { ms } = await moved(100, 1_000, 100, () => ({ bytesPerSecond: 1_000_000, rowsPerSecond: 1_000 }))

  expect(ms).toBeGreaterThan(9_500)
  expect(ms).toBeLessThan(10_500)
})

test('a limit that is raised meanwhile is heeded soon', async () => {
  let asked = 0
  const { ms } = await moved(100, 10_000, 1, () => {
    asked += 1
    return { bytesPerSecond: asked < 20 ? 10_000 : 10_000_000 }
  })

  expect(ms).toBeLessThan(20_000)
})

test('without a limit nothing waits', async () => {
  expect((await moved(100, 10_000, 1, () => ({}))).limitMs).toBe(0)
})
