/** The channel by each mode, between ends on loopback. The whole nodes: testkit/channel-modes.e2e.test.ts. */
import { connect as connectTcp } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { silentLog } from '@postern/base/log.ts'
import { systemRandom } from '@postern/base/random.ts'
import { type GatewayId, type NodeId, newId } from '@postern/protocol/ids.ts'
import type { Peer } from '@postern/protocol/node-api.ts'
import { type Certificate, CertificateAuthority } from '@postern/testkit/certificates.ts'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { answer, Router } from '../app/router.ts'
import { Identity } from '../identity/identity.ts'
import type { CertificateFiles } from './certificate-check.ts'
import { ChannelClient } from './channel-client.ts'
import type { ChannelMode } from './channel-mode.ts'
import { ChannelServer } from './channel-server.ts'

const gatewayId = newId<GatewayId>('gw', systemRandom.bytes)
const NONE = { privateKey: '', certificate: '', authority: '' }
const open: { stop(): Promise<void> }[] = []
let authority: CertificateAuthority

beforeAll(async () => {
  authority = await CertificateAuthority.make()
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.stop()))
})

/** One node's two ends. */
class End {
  readonly nodeId = newId<NodeId>('nod', systemRandom.bytes)
  readonly identity = Identity.generate()
  readonly known = new Map<NodeId, string>()
  accepted: readonly ChannelMode[]
  own: CertificateFiles | undefined
  readonly server: ChannelServer
  readonly client: ChannelClient

  constructor(accepted: readonly ChannelMode[], own?: CertificateFiles, gateway = gatewayId) {
    this.accepted = accepted
    this.own = own
    const self = { gatewayId: gateway, nodeId: this.nodeId, identity: this.identity, random: systemRandom }
    const ends = { credentials: () => NONE, own: () => this.own }
    const router = new Router({
      routes: {
        '/who': {
          doors: ['channel'],
          handle: async ({ stream, door }) => answer(stream, { peer: door.is === 'channel' ? door.peer : null }),
        },
      },
      log: silentLog,
    })
    const identityOf = (node: NodeId) => this.known.get(node)
    this.server = new ChannelServer({
      ...ends,
      self: { ...self, identityOf },
      port: 0,
      accepted: () => this.accepted,
      router,
      log: silentLog,
    })
    this.client = new ChannelClient({ ...ends, self, modeFor: (peer) => peer.channelEncryption as ChannelMode })
    open.push({
      stop: async () => {
        this.client.close()
        await this.server.stop()
      },
    })
  }

  knows(...others: readonly End[]): void {
    for (const other of others) this.known.set(other.nodeId, other.identity.publicKey())
  }

  asPeer(mode: ChannelMode, host = 'localhost'): Peer {
    return {
      id: this.nodeId,
      name: 'called',
      channelAddress: `${host}:${this.server.port}`,
      online: true,
      acceptsWork: true,
      hasGatewayKey: true,
      runningJobs: 0,
      jobLimit: 1,
      cpuPercent: 0,
      identity: this.identity.publicKey(),
      channelEncryption: mode,
    }
  }

  call(peer: Peer): Promise<unknown> {
    return this.client.call(peer, '/who', {}, AbortSignal.timeout(5_000))
  }
}

async function pair(mode: ChannelMode, certificate?: Certificate, ca = authority.cert) {
  const own = certificate && { ...certificate, ca }
  const [caller, called] = [new End([mode], own), new End([mode], own)]
  caller.knows(called)
  called.knows(caller)
  await called.server.start()
  return { caller, called }
}

test('in clear, who calls is known by its signature', async () => {
  const { caller, called } = await pair('off')

  expect(await caller.call(called.asPeer('off'))).toEqual({ peer: caller.nodeId })
  expect(await caller.call(called.asPeer('off', '127.0.0.1'))).toEqual({ peer: caller.nodeId })
})

test.each([
  ['a name', { names: ['localhost'] }, 'localhost'],
  ['the last of many names', { names: ['a.example', 'b.example', 'localhost'] }, 'localhost'],
  ['the first of many names', { names: ['localhost', 'b.example'], addresses: ['10.0.0.1'] }, 'localhost'],
  ['an address', { names: ['a.example'], addresses: ['127.0.0.1'] }, '127.0.0.1'],
  ['an RSA key', { names: ['localhost'], key: 'RSA 2048' }, 'localhost'],
  ['a longer RSA key', { names: ['localhost'], key: 'RSA 3072' }, 'localhost'],
  ['an EC key of P-384', { names: ['localhost'], key: 'EC P-384' }, 'localhost'],
  ['an Ed25519 key', { names: ['localhost'], key: 'Ed25519' }, 'localhost'],
  ['a chain', { names: ['localhost'], chain: true }, 'localhost'],
] as const)('a certificate of the user’s own with %s does', async (_what, wish, host) => {
  const { caller, called } = await pair('certificate', await authority.issue(wish))

  expect(await caller.call(called.asPeer('certificate', host))).toEqual({ peer: caller.nodeId })
})

test('a wildcard does for a name one step below it', async () => {
  // *.localhost resolves to loopback on the machine of the test by the name itself only: so the address is dialled and the name is asked for.
  const { called } = await pair('certificate', await authority.issue({ names: ['*.domain.example'] }))
  const asked = (servername: string) =>
    new Promise<string>((resolve) => {
      const socket = connectTls({ host: '127.0.0.1', port: called.server.port, servername, ca: authority.cert, ALPNProtocols: ['h2'] })
      socket.once('secureConnect', () => resolve('trusted')).once('error', (cause: NodeJS.ErrnoException) => resolve(cause.code ?? 'error'))
      socket.once('close', () => undefined)
      setTimeout(() => socket.destroy(), 500).unref()
    })

  expect(await asked('node1.domain.example')).toBe('trusted')
  expect(await asked('a.node1.domain.example')).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
})

test.each([
  ['names another host', async () => authority.issue({ names: ['elsewhere.example'] }), 'localhost', /ERR_TLS_CERT_ALTNAME_INVALID/],
  ['has expired', async () => authority.issue({ names: ['localhost'], days: -1 }), 'localhost', /CERT_HAS_EXPIRED/],
  [
    'is of an authority that is not trusted',
    async () => (await CertificateAuthority.make('Another')).issue({ names: ['localhost'] }),
    'localhost',
    /UNABLE_TO|SELF_SIGNED|unable to/,
  ],
] as const)('a certificate that %s is refused', async (_what, make, host, says) => {
  const { caller, called } = await pair('certificate', await make())

  await expect(caller.call(called.asPeer('certificate', host))).rejects.toMatchObject({
    code: 'CHANNEL_BROKEN',
    message: expect.stringMatching(says),
  })
})

test.each(['off', 'certificate'] as const)('by mode %s a stranger is refused, whatever it says of itself', async (mode) => {
  const certificate = await authority.issue({ names: ['localhost'] })
  const { caller, called } = await pair(mode, mode === 'certificate' ? certificate : undefined)
  const own = mode === 'certificate' ? { ...certificate, ca: authority.cert } : undefined

  const stranger = new End([mode], own)
  await expect(stranger.call(called.asPeer(mode))).rejects.toMatchObject({ message: expect.stringMatching(/not known as a node/) })
  // It says that it is the caller, and has not its key.
  const thief = new End([mode], own)
  called.known.set(thief.nodeId, caller.identity.publicKey())
  await expect(thief.call(called.asPeer(mode))).rejects.toMatchObject({ message: expect.stringMatching(/proof is not of the node/) })
  const foreign = new End([mode], own, newId<GatewayId>('gw', systemRandom.bytes))
  called.knows(foreign)
  await expect(foreign.call(called.asPeer(mode))).rejects.toMatchObject({ message: expect.stringMatching(/another gateway/) })
})

test.each(['off', 'certificate'] as const)('by mode %s who answers must be the one that is meant', async (mode) => {
  const certificate = mode === 'certificate' ? await authority.issue({ names: ['localhost'] }) : undefined
  const { caller, called } = await pair(mode, certificate)
  const impostor = { ...called.asPeer(mode), identity: Identity.generate().publicKey() }

  await expect(caller.call(impostor)).rejects.toMatchObject({ message: expect.stringMatching(/another answered there/) })
  await expect(caller.call({ ...called.asPeer(mode), id: newId<NodeId>('nod', systemRandom.bytes) })).rejects.toMatchObject({
    message: expect.stringMatching(/this is another node/),
  })
})

test('a mode that is not accepted is refused with that reason, and one that is accepted for a while works beside the new one', async () => {
  const { caller, called } = await pair('off')

  called.accepted = ['mutual']
  await expect(caller.call(called.asPeer('off'))).rejects.toMatchObject({ message: expect.stringMatching(/mode off is not accepted/) })
  called.accepted = ['mutual', 'off']
  expect(await caller.call(called.asPeer('off'))).toEqual({ peer: caller.nodeId })
})

test('a connection of a mode that is given up ends, and the next call is made anew', async () => {
  const { caller, called } = await pair('off', await authority.issue({ names: ['localhost'] }))
  called.accepted = ['off', 'certificate']
  await caller.call(called.asPeer('off'))

  called.accepted = ['certificate']
  called.server.settle()

  expect(await caller.call(called.asPeer('certificate'))).toEqual({ peer: caller.nodeId })
  await expect(caller.call(called.asPeer('off'))).rejects.toMatchObject({ code: 'CHANNEL_BROKEN' })
})

test('many calls at once share one connection, also while the mode changes', async () => {
  const { caller, called } = await pair('off', await authority.issue({ names: ['localhost'] }))
  called.accepted = ['off', 'certificate']

  const calls = Array.from({ length: 300 }, (_, index) => caller.call(called.asPeer(index % 3 === 0 ? 'off' : 'certificate')))

  expect(await Promise.all(calls)).toHaveLength(300)
})

test.each([
  ['nothing', ''],
  ['HTTP', 'GET / HTTP/1.1\r\nhost: x\r\n\r\n'],
  ['a line without end', 'x'.repeat(10_000)],
  ['half a ClientHello', '\x16\x03\x01\x02\x00\x01'],
  ['a hello that is none', '{"gateway":1}\n'],
  ['deep JSON', `${'['.repeat(1_900)}\n`],
])('a stranger that says %s gets nothing, and the channel goes on', async (_what, text) => {
  const { caller, called } = await pair('off')
  const socket = connectTcp(called.server.port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.end(text, 'latin1')
  await new Promise((resolve) => socket.resume().once('close', resolve))

  expect(await caller.call(called.asPeer('off'))).toEqual({ peer: caller.nodeId })
})
