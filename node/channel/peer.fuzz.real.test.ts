/** 10,000 calls of a peer whose certificate is right: what it sends is believed no more than a stranger's. */
import { constants } from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'
import { newId } from '@postern/protocol/ids.ts'
import { NODE_PATHS } from '@postern/protocol/link.ts'
import { TestService } from '@postern/testkit/service.ts'
import { waitFor } from '@postern/testkit/wait-for.ts'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { LocalNode } from '../testing/local-node.ts'
import { RawPeer, type Said, type Sent, send } from '../testing/raw-peer.ts'

const FRAMES = 600
const CALLS = 9_400
const AT_ONCE = 50
const RUN = { interruptAfterTimeLimit: 150_000, markInterruptAsFailure: true, endOnFailure: true }
/** What the peer is told is never of the inside. */
const INSIDE = /\n\s+at |node_modules|node:internal|\.ts:/
let service: TestService
let node: LocalNode
let peer: RawPeer

beforeAll(async () => {
  service = await TestService.start()
  const { key1 } = await service.client.gateways.create({ name: 'demo' })
  node = await LocalNode.start({ url: service.url, key: key1, name: 'n1' })
  const bad = await LocalNode.start({ url: service.url, key: key1, name: 'bad' })
  peer = await RawPeer.as(bad.data, node.running.channelPort)
  await bad[Symbol.asyncDispose]()
})

afterAll(async () => {
  await node?.[Symbol.asyncDispose]()
  await service?.[Symbol.asyncDispose]()
})

const sockets = () => process.getActiveResourcesInfo().filter((type) => type === 'TCPSocketWrap' || type === 'TLSWrap').length
/** Nothing is left of the peer; the node's own connections to the service come and go. */
async function settled(before: number): Promise<void> {
  for (let look = 0; sockets() > before + 2 && look < 100; look += 1) await sleep(50)
  expect(sockets()).toBeLessThanOrEqual(before + 2)
  await waitFor(
    'the node works',
    () => service.client.nodes.get('demo', 'n1'),
    ({ status }) => status === 'online',
  )
}

// ── frames ─────────────────────────────────────────────────────────────────────────────────────────

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array))
interface Frame {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
  /** Said instead of the payload's own. */
  readonly length?: number | undefined
}
function frameOf({ type, flags, stream, payload, length = payload.length }: Frame): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(length & 0xffffff, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream >>> 0, 5)
  return Buffer.concat([head, payload])
}
const SETTINGS = frameOf({ type: 4, flags: 0, stream: 0, payload: Buffer.alloc(0) })
/** Indexed fields of HPACK's own table: POST, https, a path of "/". */
const HEADERS = Buffer.from([0x83, 0x87, 0x84, 0x01, 0x01, 0x78])
const frame = fc.oneof(
  fc
    .record({
      type: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.nat(255)),
      flags: fc.nat(255),
      stream: fc.oneof(fc.constantFrom(0, 1, 3, 2, 0x7fffffff, 0xffffffff), fc.nat(20)),
      payload: fc.oneof(bytes, fc.constant(HEADERS)),
      length: fc.option(fc.constantFrom(0, 1, 0x4000, 0xffffff), { nil: undefined }),
    })
    .map(frameOf),
  // A stream that is opened and reset, again and again.
  fc
    .integer({ min: 1, max: 60 })
    .map((count) =>
      Buffer.concat(
        Array.from({ length: count }, (_, n) =>
          Buffer.concat([
            frameOf({ type: 1, flags: 0x05, stream: 2 * n + 1, payload: HEADERS }),
            frameOf({ type: 3, flags: 0, stream: 2 * n + 1, payload: Buffer.from([0, 0, 0, 8]) }),
          ]),
        ),
      ),
    ),
  // Headers that never end.
  fc
    .integer({ min: 1, max: 40 })
    .map((count) =>
      Buffer.concat([
        frameOf({ type: 1, flags: 0, stream: 1, payload: HEADERS }),
        ...Array.from({ length: count }, () => frameOf({ type: 9, flags: 0, stream: 1, payload: Buffer.alloc(200, 0x40) })),
      ]),
    ),
)
const connection = fc
  .tuple(fc.boolean(), fc.array(frame, { minLength: 1, maxLength: 6 }))
  .map(([polite, frames]) => Buffer.concat([PREFACE, ...(polite ? [SETTINGS] : []), ...frames]))

test(`${FRAMES} connections of frames that nobody means are survived, and nothing is left of them`, async () => {
  const input = fc.oneof({ weight: 1, arbitrary: bytes }, { weight: 6, arbitrary: connection })
  for (const first of fc.sample(input, { numRuns: 50, seed: 1 })) await peer.raw(first)
  const before = sockets()

  await fc.assert(
    fc.asyncProperty(fc.array(input, { minLength: AT_ONCE, maxLength: AT_ONCE }), async (inputs) => {
      for (const answer of await Promise.all(inputs.map((sent) => peer.raw(sent)))) expect(answer.toString('latin1')).not.toMatch(INSIDE)
    }),
    { ...RUN, numRuns: FRAMES / AT_ONCE },
  )

  await settled(before)
}, 180_000)

// ── calls ──────────────────────────────────────────────────────────────────────────────────────────

const id = (prefix: 'run' | 'tsk' | 'sto') => newId(prefix, (count) => crypto.getRandomValues(new Uint8Array(count)))
const KEY = Buffer.alloc(32, 7).toString('base64url')
const STORE = { id: id('sto'), name: 'shop', version: 1 }
/** What each call of the channel is meant to look like, with ids of nothing. */
const SHAPES: Readonly<Record<string, unknown>> = {
  [NODE_PATHS.ping]: {},
  [NODE_PATHS.storesChanged]: {},
  [NODE_PATHS.handOverChallenge]: {},
  [NODE_PATHS.stores]: { known: [{ id: STORE.id, version: 1 }], only: [STORE.id] },
  [NODE_PATHS.prepareKey]: { from: KEY, wanted: KEY },
  [NODE_PATHS.place]: { store: STORE, mark: '../../../etc/passwd' },
  [NODE_PATHS.handOver]: {
    challenge: `1.${KEY}`,
    ephemeral: KEY,
    wanted: KEY,
    identitySignature: Buffer.alloc(64, 7).toString('base64url'),
    proof: { by: 'auth-key', verifier: KEY, signature: Buffer.alloc(64, 7).toString('base64url') },
  },
  [NODE_PATHS.dispatch]: {
    ...{ run: id('run'), task: id('tsk'), attempt: -1, epoch: 1e15, kind: 'part', spec: null, context: { '../': 1 } },
    ...{ copy: { source: 'shop', sink: 'shop', from: 'a', to: 'b' }, source: STORE, sink: STORE },
  },
}
const odd = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(-1, 1e308, '\u0000', '../..', 'x'.repeat(70_000), [[[[[[]]]]]], { __proto__: null, constructor: {} }),
)
/** One field of the shape, at whatever depth, is another or missing. */
const bent = fc.constantFrom(...Object.entries(SHAPES)).chain(([path, shape]) =>
  fc.tuple(fc.constantFrom(...placesIn(shape)), odd, fc.boolean()).map(([place, value, gone]) => ({
    path,
    body: JSON.stringify(changed(shape, place, gone ? undefined : value)) ?? '',
  })),
)
const call: fc.Arbitrary<Sent> = fc.oneof(
  { weight: 5, arbitrary: bent },
  {
    weight: 3,
    arbitrary: fc.record({
      path: fc.constantFrom(...Object.values(NODE_PATHS)),
      body: fc.oneof(fc.json(), fc.string({ unit: 'binary' }), bytes),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      path: fc.webPath().map((path) => path || '/'),
      method: fc.constantFrom('GET', 'PUT', 'CONNECTED', 'OPTIONS'),
      headers: fc.dictionary(fc.stringMatching(/^x-[a-z]{1,8}$/), fc.stringMatching(/^[ -~]{0,60}$/), { maxKeys: 20 }),
      body: bytes,
    }),
  },
  { weight: 1, arbitrary: fc.record({ path: fc.constantFrom(...Object.keys(SHAPES)), body: bytes, cut: fc.constant(true) }) },
)

type Path = readonly (string | number)[]
function placesIn(value: unknown, at: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [at]
  return [at, ...Object.entries(value).flatMap(([key, inner]) => placesIn(inner, [...at, key]))]
}
function changed(value: unknown, [first, ...rest]: Path, to: unknown): unknown {
  if (first === undefined) return to
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string, unknown>
  const inner = changed(copy[first], rest, to)
  if (inner === undefined) delete copy[first]
  else copy[first] = inner
  return copy
}

/** An answer with a fault of ours, or none where the stream was cut. */
function checked({ status, text }: Said, { path, cut }: Sent): void {
  expect(text, path).not.toMatch(INSIDE)
  // Who resets the stream himself gets no answer, or half of one.
  if (cut) return
  expect(status, `${path} was cut`).toBeDefined()
  expect(status, `${path} ${text}`).not.toBe(500)
  if (status !== undefined && status >= 400)
    expect(JSON.parse(text), path).toMatchObject({ code: expect.stringMatching(/^(?!INTERNAL)[A-Z_]+$/) })
}

test(`${CALLS} calls with wrong ids, bodies and methods are each answered with a fault of ours`, async () => {
  const before = sockets()
  const session = peer.session()

  await fc.assert(
    fc.asyncProperty(fc.array(call, { minLength: AT_ONCE, maxLength: AT_ONCE }), async (calls) => {
      const said = await Promise.all(calls.map((one) => send(session, one)))
      for (const [index, one] of calls.entries()) checked(said[index] ?? { status: undefined, text: '' }, one)
    }),
    { ...RUN, numRuns: CALLS / AT_ONCE },
  )

  session.destroy()
  await settled(before)
}, 180_000)

// ── limits ─────────────────────────────────────────────────────────────────────────────────────────

test('a body that is too long is refused, but that of an order, which has room', async () => {
  const session = peer.session()
  const large = Buffer.alloc((8 << 20) + 1, 0x20)

  const one = await send(session, { path: NODE_PATHS.stores, body: large })

  expect([one.status, JSON.parse(one.text)]).toEqual([400, expect.objectContaining({ code: 'BODY_TOO_LARGE' })])
  const order = await send(session, { path: NODE_PATHS.dispatch, body: large })
  expect(JSON.parse(order.text)).toMatchObject({ code: 'INPUT_INVALID' })
  session.destroy()
}, 60_000)

test('a peer has so many connections, and so many calls at a time on each; other peers are served meanwhile', async () => {
  const before = sockets()
  const sessions = Array.from({ length: 270 }, () => peer.session())
  await Promise.all(sessions.map((session) => send(session, { path: NODE_PATHS.ping, body: '{}' })))
  const open = () => sessions.filter((session) => !session.destroyed)
  await waitFor(
    'most are ended',
    () => open().length,
    (count) => count <= 256,
    { timeoutMs: 40_000 },
  )

  const [last] = open()
  expect(last?.remoteSettings.maxConcurrentStreams).toBe(256)
  // A body that never ends holds a place, and no more.
  const held = Array.from({ length: 300 }, () => last?.request({ ':method': 'POST', ':path': NODE_PATHS.stores }))
  for (const stream of held) stream?.on('error', () => undefined).write('{')
  const another = peer.session()
  expect((await send(another, { path: NODE_PATHS.ping, body: '{}' })).status).toBe(204)
  for (const stream of held) stream?.close(constants.NGHTTP2_CANCEL)
  for (const session of [...sessions, another]) session.destroy()
  await settled(before)
}, 60_000)
