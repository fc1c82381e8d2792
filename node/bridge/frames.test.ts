import { randomBytes } from 'node:crypto'
import { FRAME } from '@postern/protocol/bridge.ts'
import type { Fault } from '@postern/protocol/fault.ts'
import { expect, test } from 'vitest'
import { FrameOpener, FrameSealer } from './frames.ts'

const key = randomBytes(32)
const text = 'the rows of a customer'

function sealed(...payloads: readonly string[]): Buffer[] {
  const sealer = new FrameSealer(key)
  return payloads.map((payload) => sealer.seal(FRAME.bytes, Buffer.from(payload)))
}

function opened(chunks: readonly Buffer[]): readonly string[] {
  const opener = new FrameOpener(key)
  return chunks.flatMap((chunk) => [...opener.push(chunk)]).map(({ payload }) => payload.toString())
}

test('frames come out as they went in, however the bytes are cut on the way', () => {
  const whole = Buffer.concat(sealed('one', '', 'three'.repeat(1_000)))
  for (const size of [1, 2, 5, 7, 64, whole.length]) {
    const chunks = []
    for (let at = 0; at < whole.length; at += size) chunks.push(whole.subarray(at, at + size))

    expect(opened(chunks)).toEqual(['one', '', 'three'.repeat(1_000)])
  }
})

test('nothing of the payload can be read on the way', () => {
  expect(Buffer.concat(sealed(text)).includes(text)).toBe(false)
})

const damages: Readonly<Record<string, (frames: Buffer[]) => Buffer[]>> = {
  'one byte changed': (frames) => frames.map((frame, i) => (i === 1 ? flipped(frame, 9) : frame)),
  'another kind': (frames) => frames.map((frame, i) => (i === 1 ? Buffer.from(frame.fill(FRAME.end, 4, 5)) : frame)),
  'one left out': (frames) => frames.filter((_, i) => i !== 1),
  'one doubled': (frames) => frames.flatMap((frame, i) => (i === 1 ? [frame, frame] : [frame])),
  'two in the other order': ([a, b, c]) => [a, c, b] as Buffer[],
  'no frame at all': () => [Buffer.alloc(40)],
  'a length without end': () => [Buffer.alloc(40, 0xff)],
}
for (const [damage, harm] of Object.entries(damages)) {
  test(`damage on the way is found: ${damage}`, () => {
    const harmed = harm(sealed('one', 'two', 'three'))

    expect(() => opened(harmed)).toThrow(expect.objectContaining({ code: 'BRIDGE_BROKEN' } satisfies Partial<Fault>))
  })
}

function flipped(frame: Buffer, at: number): Buffer {
  const copy = Buffer.from(frame)
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}
