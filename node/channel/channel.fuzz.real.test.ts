/** 10,000 callers of the channel that are no nodes: garbage in clear, garbage in TLS, hellos that nobody means. */
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { TestService } from '@postern/testkit/service.ts'
import { waitFor } from '@postern/testkit/wait-for.ts'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { LocalNode } from '../testing/local-node.ts'

const INPUTS = 10_000
const AT_ONCE = 20
let service: TestService
let node: LocalNode

beforeAll(async () => {
  service = await TestService.start()
  const { key1 } = await service.client.gateways.create({ name: 'demo' })
  node = await LocalNode.start({ url: service.url, key: key1, name: 'n1' })
})

afterAll(async () => {
  await node?.[Symbol.asyncDispose]()
  await service?.[Symbol.asyncDispose]()
})

const bytes = fc.uint8Array({ maxLength: 400 }).map((array) => Buffer.from(array))
const line = fc.oneof(
  fc.json(),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.constantFrom('{', '[]', 'null', '{"node":', '{"__proto__":1}'),
)
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
const input = fc.oneof(
  bytes,
  bytes.map((rest) => Buffer.concat([Buffer.from([0x16, 3, 1]), rest])),
  bytes.map((rest) => Buffer.concat([preface, rest])),
  fc.array(line, { minLength: 1, maxLength: 4 }).map((lines) => Buffer.from(`${lines.join('\n')}\n`)),
  fc.tuple(fc.nat(2 ** 31), line).map(([length, text]) => {
    const head = Buffer.alloc(4)
    head.writeUInt32BE(length)
    return Buffer.concat([head, Buffer.from(text)])
  }),
)

function offered(sent: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    const socket = connect(node.running.channelPort, '127.0.0.1')
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', () => undefined)
    socket.once('close', () => resolve(Buffer.concat(chunks).toString('latin1')))
    socket.end(sent)
  })
}

const sockets = () => process.getActiveResourcesInfo().filter((type) => type === 'TCPSocketWrap' || type === 'TLSWrap').length

test('the channel survives 10,000 strangers, leaves nothing of them, and says nothing of the inside', async () => {
  for (const first of fc.sample(input, { numRuns: 200, seed: 1 })) await offered(first)
  const before = sockets()

  await fc.assert(
    fc.asyncProperty(fc.array(input, { minLength: AT_ONCE, maxLength: AT_ONCE }), async (inputs) => {
      for (const answer of await Promise.all(inputs.map(offered))) expect(answer).not.toMatch(/\n\s+at |node_modules|node:internal|\.ts:/)
    }),
    { numRuns: INPUTS / AT_ONCE, interruptAfterTimeLimit: 120_000, markInterruptAsFailure: true },
  )

  // The node's own connections to the service come and go.
  for (let look = 0; sockets() > before + 2 && look < 100; look += 1) await sleep(50)
  expect(sockets()).toBeLessThanOrEqual(before + 2)
  await waitFor(
    'the node works',
    () => service.client.nodes.get('demo', 'n1'),
    ({ status }) => status === 'online',
  )
}, 180_000)
