/** 10,000 beginnings of PostgreSQL's protocol that nobody means. */
import { connect } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { text } from '../testing/fuzz-garbage.ts'
import { type FuzzedService, fuzz, fuzzedService } from '../testing/fuzz-rig.ts'

let fuzzed: FuzzedService

beforeAll(async () => {
  fuzzed = await fuzzedService()
})

afterAll(async () => {
  await fuzzed?.service[Symbol.asyncDispose]()
})

const int32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value | 0)
  return bytes
}
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array))
const length = fc.oneof(fc.integer(), fc.integer({ min: 0, max: 64 }), fc.constantFrom(-1, 0, 4, 7, 8, 2 ** 31 - 1, -(2 ** 31)))
const code = fc.oneof(fc.constantFrom(196_608, 196_609, 196_610, 131_072, 80_877_102, 80_877_103, 80_877_104), fc.integer())
const ssl = fc.constant(Buffer.concat([int32(8), int32(80_877_103)]))
const gss = fc.constant(Buffer.concat([int32(8), int32(80_877_104)]))
const cancel = fc
  .tuple(fc.integer(), fc.integer())
  .map(([id, secret]) => Buffer.concat([int32(16), int32(80_877_102), int32(id), int32(secret)]))

const parameters = fc.array(fc.tuple(fc.oneof(fc.constantFrom('user', 'database', 'options', '_pq_.x', '__proto__', ''), text), text), {
  maxLength: 6,
})
const startup = fc.tuple(code, parameters, fc.boolean()).map(([version, pairs, ended]) => {
  const body = Buffer.from(pairs.map(([name, value]) => `${name.replaceAll('\0', '')}\0${value}\0`).join('') + (ended ? '\0' : ''))
  return Buffer.concat([int32(8 + body.length), int32(version), body])
})
const good = fc.constant(startupOf({ user: 'u', database: 'shop' }))
const password = fc
  .tuple(fc.constantFrom('p', 'p', 'p', 'Q', 'X', '\0'), length, text)
  .map(([letter, size, word]) =>
    Buffer.concat([Buffer.from(letter), int32(size % 7 === 0 ? size : 5 + Buffer.byteLength(word)), Buffer.from(`${word}\0`)]),
  )

function startupOf(pairs: Readonly<Record<string, string>>): Buffer {
  const body = Buffer.from(`${Object.entries(pairs).flat().join('\0')}\0\0`)
  return Buffer.concat([int32(8 + body.length), int32(196_608), body])
}

const input = fc.oneof(
  bytes,
  fc.tuple(length, code, bytes).map(([size, first, rest]) => Buffer.concat([int32(size), int32(first), rest])),
  startup,
  fc.array(fc.oneof(ssl, gss, cancel, startup, bytes), { minLength: 1, maxLength: 5 }).map((parts) => Buffer.concat(parts)),
  fc
    .tuple(good, fc.array(fc.oneof(password, bytes), { minLength: 1, maxLength: 4 }))
    .map(([first, rest]) => Buffer.concat([first, ...rest])),
  fc.tuple(ssl, bytes).map(([first, rest]) => Buffer.concat([first, Buffer.from([0x16, 3, 1]), rest])),
  bytes.map((rest) => Buffer.concat([Buffer.from([0x16, 3, 1]), rest])),
)

/** Sends it in two pieces and says no more; gives what came until the other end closed. */
function offered(sent: Buffer): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    const socket = connect(fuzzed.service.postgresPort, '127.0.0.1')
    const half = sent.length >> 1
    socket.setNoDelay(true)
    socket.write(sent.subarray(0, half))
    setImmediate(() => socket.end(sent.subarray(half)))
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', () => undefined)
    socket.once('close', () => resolve(Buffer.concat(chunks)))
  })
}

test('the wire survives 10,000 malformed handshakes, lets none of them in, and says nothing of the inside', async () => {
  await fuzz(fuzzed, input, async (sent) => {
    const answer = (await offered(sent)).toString('latin1')
    // Authentication that is done: R, length 8, code 0.
    expect(answer.includes('R\0\0\0\b\0\0\0\0')).toBe(false)
    expect(answer).not.toMatch(/XX000|\n\s+at |node_modules|postgres:\/\//)
  })

  const refused = (await offered(Buffer.concat([startupOf({ user: 'u', database: 'shop' }), Buffer.from('p\0\0\0\x09nope\0')]))).toString(
    'latin1',
  )
  expect(refused).toMatch(/C28P01|C53300/)
}, 180_000)
