import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '@postern/base/log.ts'
import { systemRandom } from '@postern/base/random.ts'
import { makeAuthKey, openAuthKey } from '@postern/protocol/auth-key.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { GatewayId, NodeId } from '@postern/protocol/ids.ts'
import { HandOverRequest, NODE_PATHS } from '@postern/protocol/link.ts'
import type { Peer } from '@postern/protocol/node-api.ts'
import { HandClock } from '@postern/testkit/hand-clock.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Request } from '../app/router.ts'
import type { ServiceClient } from '../calls/service-client.ts'
import { Identity } from '../identity/identity.ts'
import { type GatewayKey, makeGatewayKey } from './gateway-key.ts'
import { HandOverDoor } from './hand-over-door.ts'
import { KeyKeeper, type PeerCaller } from './key-keeper.ts'
import { VaultFiles } from './vault-file.ts'

const gatewayId = GatewayId.parse(`gw_${'a'.repeat(20)}`)
const ids = { a: NodeId.parse(`nod_${'a'.repeat(20)}`), b: NodeId.parse(`nod_${'b'.repeat(20)}`) }
const signal = new AbortController().signal

/** Of the service: which key the gateway has, who its nodes are, which authentication keys are good. */
class World {
  publicKey: string | null = null
  verifiers: string[] = []
  readonly identities = new Map<string, string>()
  asked = 0

  readonly service = {
    call: async (call: { path: string; body?: { publicKey: string } }) => {
      if (call.path.includes('hand-over')) {
        this.asked += 1
        const asker = call.path.split('/').at(-1) ?? ''
        return { publicKey: this.publicKey, identity: this.identities.get(asker) ?? null, verifiers: this.verifiers }
      }
      this.publicKey ??= call.body?.publicKey ?? null
      return { accepted: true, publicKey: this.publicKey }
    },
  } as unknown as Pick<ServiceClient, 'call'>
}

let folder: string
let world: World
let clock: HandClock

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-keys-'))
  world = new World()
  clock = new HandClock()
})
afterEach(() => rm(folder, { recursive: true }))

async function keeper(name: 'a' | 'b', identity = Identity.generate()) {
  world.identities.set(ids[name], identity.publicKey())
  const files = new VaultFiles({ folder: join(folder, name), secret: 'c2VjcmV0', random: systemRandom })
  await import('node:fs/promises').then(({ mkdir }) => mkdir(join(folder, name), { recursive: true }))
  const self = { nodeId: ids[name], gatewayId, identity }
  const parts = { files, service: world.service, self, clock, log: silentLog }
  const keys = new KeyKeeper(parts)
  await keys.load()
  const door = new HandOverDoor({ self, keys, service: world.service, clock, random: systemRandom, log: silentLog })
  return { keys, door, again: async () => (await keeper(name, identity)).keys }
}

const peer = (id: NodeId, change: Partial<Peer> = {}): Peer => ({
  id,
  name: 'peer',
  channelAddress: '127.0.0.1:1',
  online: true,
  acceptsWork: true,
  hasGatewayKey: true,
  runningJobs: 0,
  jobLimit: 1,
  cpuPercent: 0,
  ...change,
})

/** The channel from `asker` to the door of another node, without the wire. */
function channelTo(door: HandOverDoor, asker: NodeId): PeerCaller & { readonly sent: HandOverRequest[] } {
  const sent: HandOverRequest[] = []
  return {
    sent,
    call: async (_peer, path, body) => {
      if (path === NODE_PATHS.handOver) sent.push(HandOverRequest.parse(body))
      const said: Buffer[] = []
      const stream = { respond: () => undefined, end: (bytes: Buffer) => void said.push(bytes), destroyed: false, closed: false }
      const request = { door: { is: 'channel', peer: asker }, body, stream } as unknown as Request
      await door.routes[path]?.handle(request)
      return JSON.parse(Buffer.concat(said).toString())
    },
  }
}

async function authKey() {
  const { text, part } = await makeAuthKey((count) => systemRandom.bytes(count))
  return { seed: (await openAuthKey(text))?.handOverSeed ?? '', verifier: part.verifier }
}

/** Node a holds the gateway's key. */
async function holder() {
  const a = await keeper('a')
  await a.keys.offer()
  return { ...a, key: a.keys.key as GatewayKey }
}

test('a new node gets the key with its authentication key, keeps it over a restart, and forgets what it asked with', async () => {
  const a = await holder()
  const b = await keeper('b')
  const { seed, verifier } = await authKey()
  world.verifiers = [verifier]
  await b.keys.joinedWith(seed)

  await b.keys.reconcile(world.publicKey, [peer(ids.a)], channelTo(a.door, ids.b), signal)

  expect(b.keys.key?.privateKey.reveal()).toBe(a.key.privateKey.reveal())
  expect((await b.again()).key?.publicKey).toBe(world.publicKey)
  expect(b.keys.ready).toBe(true)
})

test('a node whose authentication key was replaced waits, says why, and does not ask again at once', async () => {
  const a = await holder()
  const b = await keeper('b')
  await b.keys.joinedWith((await authKey()).seed)
  const channel = channelTo(a.door, ids.b)

  await b.keys.reconcile(world.publicKey, [peer(ids.a)], channel, signal)
  await b.keys.reconcile(world.publicKey, [peer(ids.a)], channel, signal)

  expect([b.keys.key, b.keys.ready, channel.sent.length]).toEqual([undefined, false, 1])
  expect(b.keys.waitsBecause).toContain('not good any more')
  await clock.advance(10_001)
  await b.keys.reconcile(world.publicKey, [peer(ids.a)], channel, signal)
  expect(channel.sent).toHaveLength(2)
})

test('a node that was deleted, or that says it is another, is refused though it has a good authentication key', async () => {
  const a = await holder()
  const b = await keeper('b')
  const { seed, verifier } = await authKey()
  world.verifiers = [verifier]
  await b.keys.joinedWith(seed)

  world.identities.set(ids.b, Identity.generate().publicKey())
  await b.keys.reconcile(world.publicKey, [peer(ids.a)], channelTo(a.door, ids.b), signal)
  const another = b.keys.waitsBecause
  world.identities.delete(ids.b)
  await clock.advance(10_001)
  await b.keys.reconcile(world.publicKey, [peer(ids.a)], channelTo(a.door, ids.b), signal)

  expect([another, b.keys.waitsBecause]).toEqual([expect.stringContaining('signature'), expect.stringContaining('no such node')])
  expect(b.keys.key).toBeUndefined()
})

test('a request cannot be repeated later, nor by another node', async () => {
  const a = await holder()
  const b = await keeper('b')
  const { seed, verifier } = await authKey()
  world.verifiers = [verifier]
  await b.keys.joinedWith(seed)
  const channel = channelTo(a.door, ids.b)
  await b.keys.reconcile(world.publicKey, [peer(ids.a)], channel, signal)
  const [request] = channel.sent

  const asAnother = channelTo(a.door, ids.a).call(peer(ids.a), NODE_PATHS.handOver, request, signal)
  await expect(asAnother).rejects.toMatchObject({ code: 'HAND_OVER_REFUSED', message: expect.stringContaining('challenge') })
  await clock.advance(30_001)
  const later = channel.call(peer(ids.a), NODE_PATHS.handOver, request, signal)
  await expect(later).rejects.toMatchObject({ code: 'HAND_OVER_REFUSED', message: expect.stringContaining('challenge') })
})

/** Node b holds the key too. */
async function both() {
  const a = await holder()
  const b = await keeper('b')
  const { seed, verifier } = await authKey()
  world.verifiers = [verifier]
  await b.keys.joinedWith(seed)
  await b.keys.reconcile(world.publicKey, [peer(ids.a)], channelTo(a.door, ids.b), signal)
  world.verifiers = []
  return { a, b }
}

test('in a rotation a node opens with both keys, before and behind the switch, and gives the old one up when all have the new', async () => {
  const { a, b } = await both()
  const [old, next] = [a.key, makeGatewayKey()]
  await a.keys.prepare(next)
  await b.keys.prepareFrom(peer(ids.a), { from: old.publicKey, wanted: next.publicKey }, channelTo(a.door, ids.b), signal)
  const opens = (keys: KeyKeeper) => [old, next].map(({ publicKey }) => keys.holding(publicKey) !== undefined)
  expect([opens(a.keys), opens(b.keys), b.keys.key?.publicKey]).toEqual([[true, true], [true, true], old.publicKey])

  world.publicKey = next.publicKey
  await b.keys.reconcile(next.publicKey, [peer(ids.a)], channelTo(a.door, ids.b), signal)
  expect([b.keys.key?.publicKey, opens(b.keys), b.keys.ready]).toEqual([next.publicKey, [true, true], true])

  await clock.advance(60_001)
  await b.keys.reconcile(next.publicKey, [peer(ids.a, { hasGatewayKey: false })], channelTo(a.door, ids.b), signal)
  expect(opens(b.keys)).toEqual([true, true])
  await b.keys.reconcile(next.publicKey, [peer(ids.a)], channelTo(a.door, ids.b), signal)
  expect(opens(b.keys)).toEqual([false, true])
  expect(opens(await b.again())).toEqual([false, true])
})

test('rotations that follow each other faster than beats lose no key', async () => {
  const { a, b } = await both()
  const [one, two] = [makeGatewayKey(), makeGatewayKey()]
  const prepare = async (from: string, next: GatewayKey) => {
    await a.keys.prepare(next)
    await b.keys.prepareFrom(peer(ids.a), { from, wanted: next.publicKey }, channelTo(a.door, ids.b), signal)
  }
  await prepare(a.key.publicKey, one)
  await a.keys.hold(one)
  world.publicKey = one.publicKey

  // The beat that tells of the first comes while the second is being prepared.
  await Promise.all([b.keys.reconcile(one.publicKey, [peer(ids.a)], channelTo(a.door, ids.b), signal), prepare(one.publicKey, two)])

  for (const keys of [b.keys, await b.again()])
    expect([one, two].map(({ publicKey }) => keys.holding(publicKey)?.publicKey)).toEqual([one.publicKey, two.publicKey])
})

test('a node that slept through two rotations gets the key of today with the one that it holds; who never held one does not', async () => {
  const { a, b } = await both()
  for (const next of [makeGatewayKey(), makeGatewayKey()]) {
    await a.keys.prepare(next)
    await a.keys.hold(next)
    world.publicKey = next.publicKey
  }

  await b.keys.reconcile(world.publicKey, [peer(ids.a)], channelTo(a.door, ids.b), signal)

  expect(b.keys.key?.publicKey).toBe(world.publicKey)
  await rm(join(folder, 'b'), { recursive: true })
  const stranger = await keeper('b')
  await stranger.keys.hold(makeGatewayKey())
  await stranger.keys.reconcile(world.publicKey, [peer(ids.a)], channelTo(a.door, ids.b), signal)
  expect(stranger.keys.waitsBecause).toContain('was never this gateway’s')
})

test.each(['a rotation that was switched', 'one that never was'])('killed in %s, a node starts with the right key', async (which) => {
  const { a } = await both()
  const next = makeGatewayKey()
  await a.keys.prepare(next)
  const switched = which === 'a rotation that was switched'
  if (switched) world.publicKey = next.publicKey

  const started = await a.again()
  await started.reconcile(world.publicKey, [], channelTo(a.door, ids.a), signal)

  expect(started.key?.publicKey).toBe(switched ? next.publicKey : a.key.publicKey)
  await clock.advance(600_001)
  await started.reconcile(world.publicKey, [], channelTo(a.door, ids.a), signal)
  expect(started.holding(switched ? a.key.publicKey : next.publicKey)).toBeUndefined()
})

test('a key that is not the gateway’s is not taken, whoever sends it', async () => {
  const b = await keeper('b')
  await b.keys.joinedWith((await authKey()).seed)
  const liar: PeerCaller = {
    call: async (_peer, path) => {
      if (path === NODE_PATHS.handOverChallenge) return { challenge: 'x' }
      throw new Fault('INTERNAL')
    },
  }

  await b.keys.reconcile(makeGatewayKey().publicKey, [peer(ids.a)], liar, signal)

  expect(b.keys.key).toBeUndefined()
})
