import { readFile } from 'node:fs/promises'
import { connect } from 'node:http2'
import { join } from 'node:path'
import { systemRandom } from '@postern/base/random.ts'
import { NODE_PATHS } from '@postern/protocol/link.ts'
import type { Peer } from '@postern/protocol/node-api.ts'
import { TestService } from '@postern/testkit/service.ts'
import { waitFor } from '@postern/testkit/wait-for.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { NodeFile } from '../state/node-file.ts'
import { LocalNode } from '../testing/local-node.ts'
import { mutualClient } from '../testing/mutual-client.ts'
import { fingerprintOf, gatewayKeyFrom } from '../vault/gateway-key.ts'
import { VaultFiles } from '../vault/vault-file.ts'

let service: TestService
let one: LocalNode
let two: LocalNode
let stranger: LocalNode
beforeAll(async () => {
  service = await TestService.start()
  const start = async (gateway: string, names: readonly string[]) => {
    const { key1: key } = await service.client.gateways.create({ name: gateway })
    const nodes: LocalNode[] = []
    for (const name of names) nodes.push(await LocalNode.start({ url: service.url, key, name }))
    return nodes
  }
  const [first, second] = await start('pair', ['one', 'two'])
  const [other] = await start('other', ['stranger'])
  if (!first || !second || !other) throw new Error('not started')
  one = first
  two = second
  stranger = other
})
afterAll(async () => {
  for (const node of [one, two, stranger]) await node?.[Symbol.asyncDispose]()
  await service[Symbol.asyncDispose]()
})

const fileOf = async (node: LocalNode) => NodeFile.parse(JSON.parse(await readFile(join(node.data, 'node.json'), 'utf8')))
const peerOf = (node: LocalNode): Peer => ({
  id: node.joined.nodeId,
  name: node.joined.name,
  channelAddress: `127.0.0.1:${node.running.channelPort}`,
  online: true,
  acceptsWork: true,
  hasGatewayKey: true,
  runningJobs: 0,
  jobLimit: 4,
  cpuPercent: 0,
})
const clientOf = async (node: LocalNode, gatewayId = '') => {
  const file = await fileOf(node)
  return mutualClient({ gatewayId: (gatewayId || file.gatewayId) as typeof file.gatewayId, credentials: () => file.channel })
}

test('a second node gets the gateway key from the first, and keeps it over a restart', async () => {
  const fingerprint = one.joined.fingerprint
  const has = async () => (await two.status()).gatewayKeyFingerprint
  await waitFor('the key', has, (seen) => seen === fingerprint)

  await one.stop()
  await two.restart()

  expect(await has()).toBe(fingerprint)
  await one.restart()
})

test('the key lies nowhere in clear', async () => {
  const { secret } = await fileOf(two)
  const files = new VaultFiles({ folder: join(two.data, 'vault'), secret, random: systemRandom })
  const privateKey = (await files.read('gateway-key')) ?? ''
  expect(fingerprintOf(gatewayKeyFrom(privateKey)?.publicKey ?? '')).toBe(one.joined.fingerprint)

  for (const node of [one, two])
    for (const name of ['node.json', 'vault/gateway-key']) {
      const text = await readFile(join(node.data, name), 'utf8')
      expect(text).not.toContain(privateKey)
      expect(Buffer.from(text, 'base64url').includes(Buffer.from(privateKey))).toBe(false)
    }
})

test('a node of another gateway is refused, though the same service issued its certificate', async () => {
  const { gatewayId } = await fileOf(one)
  const client = await clientOf(stranger, gatewayId)

  const asking = client.call(peerOf(one), NODE_PATHS.handOverChallenge, {}, AbortSignal.timeout(5_000))

  await expect(asking).rejects.toMatchObject({ code: 'CHANNEL_BROKEN' })
  client.close()
})

test('a node that another answers for is not talked to', async () => {
  const client = await clientOf(two)
  const wrong = { ...peerOf(one), channelAddress: peerOf(stranger).channelAddress }

  const asking = client.call(wrong, NODE_PATHS.ping, {}, AbortSignal.timeout(5_000))

  await expect(asking).rejects.toMatchObject({ code: 'CHANNEL_BROKEN', message: expect.stringContaining('another answered there') })
  client.close()
})

test('who has no certificate gets no answer', async () => {
  const session = connect(`https://127.0.0.1:${one.running.channelPort}`, { rejectUnauthorized: false })
  const failed = await new Promise<boolean>((resolve) => {
    session.on('error', () => resolve(true)).on('close', () => resolve(true))
    const stream = session.request({ ':method': 'POST', ':path': NODE_PATHS.ping })
    stream.on('error', () => resolve(true)).on('response', () => resolve(false))
    stream.end('{}')
  })
  session.destroy()

  expect(failed).toBe(true)
})

test('a query is not for the channel, whoever asks', async () => {
  const client = await clientOf(two)

  const asking = client.call(peerOf(one), NODE_PATHS.query, {}, AbortSignal.timeout(5_000))

  await expect(asking).rejects.toMatchObject({ code: 'ROUTE_UNKNOWN' })
  client.close()
})
