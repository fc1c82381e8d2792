/** Whom a rotation waits for, by a clock that the test moves. Whole nodes: testkit/keys.e2e.test.ts. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '@postern/base/log.ts'
import { systemRandom } from '@postern/base/random.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { GatewayId, NodeId } from '@postern/protocol/ids.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import { NODE_PATHS, SERVICE_PATHS } from '@postern/protocol/link.ts'
import type { Peer, RotationSwitch } from '@postern/protocol/node-api.ts'
import { HandClock } from '@postern/testkit/hand-clock.ts'
import { waitFor } from '@postern/testkit/wait-for.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Request } from '../app/router.ts'
import type { ServiceClient } from '../calls/service-client.ts'
import { Identity } from '../identity/identity.ts'
import { KeyKeeper } from './key-keeper.ts'
import { KeyRotation } from './rotation.ts'
import { VaultFiles } from './vault-file.ts'

const gatewayId = GatewayId.parse(`gw_${'a'.repeat(20)}`)
const [self, other] = [NodeId.parse(`nod_${'a'.repeat(20)}`), NodeId.parse(`nod_${'b'.repeat(20)}`)]
const WAITED_MS = 15_000

let folder: string
let rig: Rig

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-rotation-'))
  rig = await Rig.make(folder)
})
afterEach(() => rm(folder, { recursive: true }))

/** A node that holds the gateway's key, with the service and the other node as far as a rotation asks them. */
class Rig {
  readonly clock = new HandClock()
  peers: readonly Peer[] = []
  /** What the other node says to the next key. */
  refusal: Fault | undefined
  readonly prepared: string[] = []
  publicKey: string | null = null
  readonly #rotation: KeyRotation

  static async make(path: string): Promise<Rig> {
    const made = new Rig(path)
    await made.#keys.load()
    await made.#keys.offer()
    return made
  }

  readonly #service = {
    call: async ({ path, body }: { readonly path: string; readonly body?: RotationSwitch & { readonly publicKey: string } }) => {
      if (path === SERVICE_PATHS.gatewayKey) this.publicKey ??= body?.publicKey ?? null
      else if (body) this.publicKey = body.to
      return { accepted: true, publicKey: this.publicKey, stores: [], recovery: null, switched: true, changed: [] }
    },
  } as unknown as Pick<ServiceClient, 'call'>
  readonly #keys: KeyKeeper

  private constructor(path: string) {
    const { clock } = this
    const node = { nodeId: self, gatewayId, identity: Identity.generate() }
    const files = new VaultFiles({ folder: path, secret: 'c2VjcmV0', random: systemRandom })
    const base = { service: this.#service, self: node, clock, log: silentLog }
    this.#keys = new KeyKeeper({ ...base, files })
    const channel = {
      call: async (peer: Pick<Peer, 'id'>) => {
        if (this.refusal) throw this.refusal
        this.prepared.push(peer.id)
      },
    }
    this.#rotation = new KeyRotation({ ...base, keys: this.#keys, channel, peers: () => this.peers })
  }

  /** As the service orders it; resolves with the new public key. */
  async rotate(online: readonly NodeId[]): Promise<string> {
    const said: Buffer[] = []
    const stream = { respond: () => undefined, end: (bytes: Buffer) => void said.push(bytes), destroyed: false, closed: false }
    const request = { door: { is: 'link' }, body: { online }, stream } as unknown as Request
    await this.#rotation.routes[NODE_PATHS.rotateKey]?.handle(request)
    return JSON.parse(Buffer.concat(said).toString()).publicKey
  }

  /** Moves the time on by steps, each once the rotation waits for the clock. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 500) {
      await waitFor('the rotation waits', () => this.clock.sleeping === 1)
      await this.clock.advance(500)
    }
  }
}

const peer = (change: Partial<Peer> = {}): Peer => ({
  id: other,
  name: 'other',
  channelAddress: '127.0.0.1:1',
  online: true,
  acceptsWork: true,
  hasGatewayKey: true,
  runningJobs: 0,
  jobLimit: 1,
  cpuPercent: 0,
  ...change,
})

test('a node of which only the service has heard yet gets the next key, and only then it is switched', async () => {
  const before = rig.publicKey
  const rotating = rig.rotate([other])
  await rig.pass(LIMITS.beatMs)
  expect([rig.prepared, rig.publicKey]).toEqual([[], before])

  rig.peers = [peer()]
  await rig.pass(500)

  expect(await rotating).toBe(rig.publicKey)
  expect(rig.publicKey).not.toBe(before)
  expect(rig.prepared).toEqual([other])
})

test.each([
  ['does not come after all', []],
  ['waits for its first key', [peer({ hasGatewayKey: false })]],
] as const)('one that %s holds it up for three beats and no longer', async (_what, peers) => {
  rig.peers = peers
  rig.refusal = new Fault('HAND_OVER_REFUSED', { at: '(it does not have the key of today yet)' })
  const before = rig.publicKey
  const rotating = rig.rotate([other])

  await rig.pass(3 * LIMITS.beatMs - 500)
  expect(rig.publicKey).toBe(before)
  await rig.pass(500)

  expect(await rotating).not.toBe(before)
})

test('one that has the key of today and cannot take the next ends it, and nothing is changed', async () => {
  rig.peers = [peer()]
  rig.refusal = new Fault('NODE_OFFLINE')
  const before = rig.publicKey
  const refused = expect(rig.rotate([])).rejects.toMatchObject({ code: 'ROTATION_REFUSED', message: expect.stringContaining('other') })

  await rig.pass(WAITED_MS)

  await refused
  expect(rig.publicKey).toBe(before)
})
