import { hostname } from 'node:os'
import type { Clock } from '@postern/base/clock.ts'
import type { Log, Secret } from '@postern/base/log.ts'
import type { Random } from '@postern/base/random.ts'
import { VERSION } from '@postern/base/version.ts'
import { type OpenedAuthKey, openAuthKey } from '@postern/protocol/auth-key.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { Name, type NodeId } from '@postern/protocol/ids.ts'
import { LIMITS, PROTOCOL_VERSION } from '@postern/protocol/limits.ts'
import { SERVICE_PATHS } from '@postern/protocol/link.ts'
import { JoinResponse } from '@postern/protocol/node-api.ts'
import { Dialler } from '../calls/dialler.ts'
import type { Environment } from '../calls/proxy.ts'
import { ServiceClient } from '../calls/service-client.ts'
import { parseServiceUrl } from '../calls/service-url.ts'
import { makeChannelKey } from '../identity/csr.ts'
import { Identity } from '../identity/identity.ts'
import { DataFolder } from '../state/data-folder.ts'
import type { NodeFile } from '../state/node-file.ts'
import { fingerprintOf } from '../vault/gateway-key.ts'
import { KeyKeeper } from '../vault/key-keeper.ts'
import { recoverKey } from '../vault/recovery.ts'
import { parseRecoveryKey } from '../vault/recovery-key.ts'
import { VaultFiles } from '../vault/vault-file.ts'
import { type LeaveOptions, leaveGateway } from './leave.ts'

export interface JoinOptions {
  readonly url: string
  /** One of the gateway's two authentication keys. */
  readonly key: string
  /** The machine's name when left out. */
  readonly name?: string | undefined
  readonly data: string
  /** As a person typed it: for a gateway none of whose nodes is left to hand over the key. */
  readonly recoveryKey?: Secret | undefined
  /** A folder that holds a node of another gateway: take it out of that one. */
  readonly move?: boolean | undefined
  readonly log: Log
  readonly clock: Clock
  readonly random: Random
  /** Where HTTPS_PROXY and NO_PROXY are read; the process's own when left out. */
  readonly environment?: Environment
}

export interface Joined {
  readonly name: string
  readonly gateway: string
  readonly nodeId: NodeId
  /** Of the gateway's public key: to be compared with what the service shows. */
  readonly fingerprint: string | null
  /** Where it was before it moved; `fault` when it could not be deleted there. */
  readonly moved: { readonly from: string; readonly fault: string | null } | null
}

/**
 * Registers this machine as a node and writes its data folder. Joining again with the same folder keeps the node's
 * identity, so it replaces itself; a folder of another gateway is refused, unless it shall `move`: then it is deleted there, and
 * what it knew of that gateway's secrets is wiped.
 */
export async function joinNode(options: JoinOptions): Promise<Joined> {
  const url = parseServiceUrl(options.url)
  const environment = options.environment ?? process.env
  const key = await openAuthKey(options.key)
  if (!key) throw new Fault('KEY_INVALID')
  const recovery = options.recoveryKey && parseRecoveryKey(options.recoveryKey.reveal())
  if (options.recoveryKey && !recovery) throw new Fault('RECOVERY_KEY_INVALID')
  await using folder = await DataFolder.open(options.data)
  const before = folder.node
  if (before && before.url !== url.href && !options.move) {
    throw new Fault('NODE_ALREADY_JOINED', { at: `(${options.data} holds ${before.gateway}/${before.name} of ${before.url})` })
  }
  const dialler = new Dialler({ target: url, environment, proxyUrl: () => '' })
  const registration = { ...options, key, url, dialler, before }
  const node = await register(registration).catch((cause: unknown) => {
    const elsewhere = before && options.move && Fault.from(cause).code === 'NODE_ALREADY_JOINED'
    if (!elsewhere) throw cause
    return register({ ...registration, name: options.name ?? before.name, before: undefined })
  })
  const moved = before && before.gatewayId !== node.gatewayId ? await leave(before, options) : null
  if (moved) await folder.wipeVault()
  await folder.create(node)

  const signer = { identity: Identity.parse(node.identity), nodeId: node.nodeId }
  const service = new ServiceClient({ dialler, clock: options.clock, signer })
  try {
    const files = new VaultFiles({ folder: folder.vault, secret: node.secret, random: options.random })
    const keys = new KeyKeeper({ files, service, self: { ...signer, gatewayId: node.gatewayId }, clock: options.clock, log: options.log })
    await keys.load()
    await keys.joinedWith(key.handOverSeed)
    if (recovery) await keys.hold(await recoverKey(service, node.gatewayId, recovery))
    // The first node makes the gateway's key at once, so that credentials can be sealed before any node runs.
    const publicKey = await keys.offer()
    return { name: node.name, gateway: node.gateway, nodeId: node.nodeId, fingerprint: fingerprintOf(publicKey), moved }
  } finally {
    service.close()
  }
}

/** Joined to the other already, so nothing is lost when the old gateway cannot be told: it is only said. */
async function leave(before: NodeFile, options: LeaveOptions): Promise<Joined['moved']> {
  const from = `${before.gateway}/${before.name}`
  try {
    await leaveGateway(before, options)
    return { from, fault: null }
  } catch (cause) {
    return { from, fault: Fault.from(cause).message }
  }
}

interface Registration extends Omit<JoinOptions, 'url' | 'key'> {
  readonly key: OpenedAuthKey
  readonly url: URL
  readonly dialler: Dialler
  readonly before: NodeFile | undefined
}

async function register(options: Registration): Promise<NodeFile> {
  const { before, url } = options
  const name = options.name === undefined ? (before?.name ?? machineName()) : parseName(options.name)
  const identity = before ? Identity.parse(before.identity) : Identity.generate()
  const channelKey = makeChannelKey(name)
  const client = new ServiceClient({ dialler: options.dialler, clock: options.clock })
  try {
    const body = {
      protocol: PROTOCOL_VERSION,
      key: options.key.joinProof,
      name,
      version: VERSION,
      identity: identity.publicKey(),
      csr: channelKey.csr,
      gatewayId: before?.gatewayId,
    }
    const joined = await patiently(options.clock, () => client.call({ path: SERVICE_PATHS.join, body, answer: JoinResponse }))
    if (before && before.gatewayId !== joined.gatewayId) {
      throw new Fault('NODE_ALREADY_JOINED', {
        at: `(${options.data} holds ${before.gateway}/${before.name}, the key is of ${joined.gateway})`,
      })
    }
    return {
      format: 1,
      url: url.href,
      nodeId: joined.nodeId,
      name: joined.name,
      gatewayId: joined.gatewayId,
      gateway: joined.gateway,
      identity: identity.export(),
      secret: before?.secret ?? Buffer.from(options.random.bytes(32)).toString('base64url'),
      channel: { privateKey: channelKey.privateKey, certificate: joined.certificate, authority: joined.authority },
      transport: before?.transport ?? null,
      proxyUrl: before?.proxyUrl ?? '',
    }
  } finally {
    client.close()
  }
}

/** A machine that was killed and comes back as new finds its own name taken until its ghost has been silent for long enough. */
async function patiently<Value>(clock: Clock, join: () => Promise<Value>): Promise<Value> {
  const until = clock.monotonic() + LIMITS.silentMs + LIMITS.beatMs
  for (;;) {
    try {
      return await join()
    } catch (cause) {
      if (Fault.from(cause).code !== 'NODE_NAME_TAKEN' || clock.monotonic() >= until) throw cause
      await clock.sleep(LIMITS.beatMs / 2)
    }
  }
}

function parseName(name: string): string {
  if (Name.safeParse(name).success) return name
  throw new Fault('CONFIG_INVALID', { at: `--name "${name}" must be letters, digits, ".", "_" and "-", 1 to 63 characters.` })
}

/** The host name, without what a node's name may not have. */
function machineName(): string {
  const name = hostname()
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .slice(0, 63)
    .replace(/^[._-]+|[._-]+$/g, '')
  return name === '' ? 'node' : name
}
