/** 10,000 upgrades that nobody means, at every path that takes one; and garbage behind an upgrade that was right. */
import { connect, type Socket } from 'node:net'
import { DATA_PATH, LINK_PATH, LINK_PROTOCOL, NODE_AUTH_SCHEME } from '@postern/protocol/link.ts'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { REPLICA_LINK_PATH } from '../replicas/replica-news.ts'
import { FakeNode } from '../testing/fake-node.ts'
import { text } from '../testing/fuzz-garbage.ts'
import { type FuzzedService, fuzz, fuzzedService } from '../testing/fuzz-rig.ts'

let fuzzed: FuzzedService
let node: FakeNode

beforeAll(async () => {
  fuzzed = await fuzzedService()
  const { key1 } = await fuzzed.service.api<{ key1: string }>('POST', '/v1/gateways', { name: 'demo' })
  node = await FakeNode.join(fuzzed.service.url, key1, 'n1')
})

afterAll(async () => {
  await node?.die()
  await fuzzed?.service[Symbol.asyncDispose]()
})

const part = (value: unknown) => Buffer.from(JSON.stringify(value) ?? '').toString('base64url')
const claims = fc.record(
  {
    iss: fc.oneof(
      fc.constant(() => node.id),
      text.map((word) => () => word),
    ),
    htm: fc.oneof(fc.constant('GET'), text),
    htu: fc.oneof(fc.constant(LINK_PATH), text),
    bh: text,
    iat: fc.oneof(fc.integer(), fc.double(), text),
  },
  { requiredKeys: [] },
)
const jwt = fc
  .tuple(fc.oneof(fc.constantFrom('EdDSA', 'none', 'HS256', 'RS256', ''), text), claims, fc.uint8Array({ maxLength: 80 }))
  .map(([alg, said, signature]) => () => {
    const made = { ...said, ...(said.iss === undefined ? {} : { iss: said.iss() }) }
    return `${part({ alg })}.${part(made)}.${Buffer.from(signature).toString('base64url')}`
  })
const proof = fc.oneof(
  jwt.map((token) => () => `${NODE_AUTH_SCHEME} ${token()}`),
  text.map((word) => () => `${NODE_AUTH_SCHEME} ${word}`),
  text.map((word) => () => word),
  jwt.map((token) => () => `PosternReplica ${token()}`),
  text.map((word) => () => `Bearer ${word}`),
  // A proof that is right, with a letter less.
  fc.nat(300).map((at) => () => {
    const right = node.authorization('GET', LINK_PATH)
    return right.slice(0, at) + right.slice(at + 1)
  }),
)
const path = fc.constantFrom(
  LINK_PATH,
  LINK_PATH,
  DATA_PATH,
  REPLICA_LINK_PATH,
  '/v1/stores/shop/connect',
  '/v1/stores/%00/connect',
  '//',
  '*',
)
const upgrade = fc.oneof(fc.constantFrom(LINK_PROTOCOL, 'websocket', 'h2c', 'postern-data/1', ''), text)
const line = (word: string) => word.replace(/[\r\n]/g, ' ')
const header = fc.tuple(fc.constantFrom('sec-websocket-key', 'sec-websocket-version', 'postern-replica', 'postern-ticket', 'x'), text)

interface Upgrade {
  readonly path: string
  readonly upgrade: string
  readonly proof: () => string
  readonly headers: readonly (readonly [string, string])[]
  readonly behind: Uint8Array
}
const input: fc.Arbitrary<Upgrade> = fc.record({
  path,
  upgrade,
  proof,
  headers: fc.array(header, { maxLength: 3 }),
  behind: fc.uint8Array({ maxLength: 100 }),
})

function offered(sent: Buffer, then?: (socket: Socket) => void): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    const { port, hostname } = new URL(fuzzed.service.url)
    const socket = connect(Number(port), hostname)
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', () => undefined)
    socket.once('close', () => resolve(Buffer.concat(chunks).toString('latin1')))
    socket.write(sent)
    if (then) socket.once('data', () => then(socket))
    // Headers that are not whole would be waited for: this end says that there will be no more.
    else socket.end()
  })
}

function requestOf(one: Upgrade): Buffer {
  const headers = [
    ['host', 'x'],
    ['connection', 'upgrade'],
    ['upgrade', line(one.upgrade)],
    ['authorization', line(one.proof())],
    ...one.headers.map(([name, word]) => [name, line(word)]),
  ]
  const head = `GET ${one.path} HTTP/1.1\r\n${headers.map(([name, word]) => `${name}: ${word}\r\n`).join('')}\r\n`
  return Buffer.concat([Buffer.from(head, 'utf8'), Buffer.from(one.behind)])
}

test('links survive 10,000 malformed upgrades: each is refused with a status of the sender’s, and none gets through', async () => {
  await fuzz(fuzzed, input, async (one) => {
    const answer = await offered(requestOf(one))
    expect(answer).toMatch(/^(?:HTTP\/1\.1 4\d\d |$)/)
    expect(answer).not.toMatch(/\n\s+at |node_modules|node:internal/)
  })

  await node.up()
  expect((await fuzzed.service.api<{ linkTransport: string }>('GET', '/v1/gateways/demo/nodes/n1')).linkTransport).toBe('raw')
}, 180_000)

test('garbage behind an upgrade that was right ends that link and nothing else', async () => {
  const frame = fc
    .tuple(fc.nat(2 ** 24 - 1), fc.nat(12), fc.nat(255), fc.integer(), fc.uint8Array({ maxLength: 200 }))
    .map(([length, type, flags, stream, payload]) => {
      const head = Buffer.alloc(9)
      head.writeUIntBE(length % 3 === 0 ? length : payload.length, 0, 3)
      head.writeUInt8(type, 3)
      head.writeUInt8(flags, 4)
      head.writeInt32BE(stream, 5)
      return Buffer.concat([head, payload])
    })
  const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])
  const garbage = fc.oneof(
    fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
    fc.array(frame, { maxLength: 6 }).map((frames) => Buffer.concat([settings, ...frames])),
  )
  const head = () =>
    `GET ${LINK_PATH} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: ${LINK_PROTOCOL}\r\nauthorization: ${node.authorization('GET', LINK_PATH)}\r\n\r\n`

  for (const bytes of fc.sample(garbage, { numRuns: 500, seed: 5 })) {
    const answer = await offered(Buffer.from(head()), (socket) => socket.end(bytes))
    expect(answer).toMatch(/^HTTP\/1\.1 101 /)
  }

  expect(fuzzed.errors).toEqual([])
  expect((await fetch(`${fuzzed.service.url}/readyz`)).status).toBe(200)
  node.unlink()
  await node.link()
}, 120_000)
