/** `postern node recovery-key`: makes a recovery key for the gateway, on a machine that has its key. The node may run meanwhile. */
import type { Clock } from '@postern/base/clock.ts'
import type { Secret } from '@postern/base/log.ts'
import type { Random } from '@postern/base/random.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { SERVICE_PATHS } from '@postern/protocol/link.ts'
import { RecoverySeal } from '@postern/protocol/node-api.ts'
import { Dialler } from '../calls/dialler.ts'
import type { Environment } from '../calls/proxy.ts'
import { ServiceClient } from '../calls/service-client.ts'
import { parseServiceUrl } from '../calls/service-url.ts'
import { Identity } from '../identity/identity.ts'
import { readJoined } from '../state/data-folder.ts'
import { fingerprintOf, type GatewayKey, gatewayKeyFrom } from './gateway-key.ts'
import { makeRecoveryKey, openRecovery, parseRecoveryKey, recoveryPair, sealRecovery } from './recovery-key.ts'
import { VaultFiles } from './vault-file.ts'

export interface RecoveryOptions {
  readonly data: string
  readonly clock: Clock
  readonly random: Random
  /** Where HTTPS_PROXY and NO_PROXY are read; the process's own when left out. */
  readonly environment?: Environment
  /** Shows the key to a person, once, and gives back what was typed as a proof that it was written down. */
  readonly confirm: (key: Secret, gateway: string) => Promise<string>
}

export interface RecoveryMade {
  readonly gateway: string
  /** Of the gateway's key that it opens. */
  readonly fingerprint: string
}

/** Nothing is changed before the key was typed back. From then on it is the only one: an older one opens nothing any more. */
export async function renewRecoveryKey(options: RecoveryOptions): Promise<RecoveryMade> {
  const { clock, random, environment = process.env } = options
  const { node, vault } = await readJoined(options.data)
  const text = await new VaultFiles({ folder: vault, secret: node.secret, random }).read('gateway-key')
  const key = text === undefined ? undefined : gatewayKeyFrom(text)
  if (!key) throw new Fault('GATEWAY_KEY_MISSING', { at: `(${node.gateway}/${node.name} does not have it yet)` })
  const recovery = makeRecoveryKey(random)
  const secret = parseRecoveryKey(recovery.reveal())
  const typed = parseRecoveryKey(await options.confirm(recovery, node.gateway))
  if (!secret || !typed?.equals(secret)) throw new Fault('RECOVERY_KEY_NOT_CONFIRMED')
  const dialler = new Dialler({ target: parseServiceUrl(node.url), environment, proxyUrl: () => node.proxyUrl })
  const service = new ServiceClient({ dialler, clock, signer: { identity: Identity.parse(node.identity), nodeId: node.nodeId } })
  try {
    const body = await sealRecovery(key, node.gatewayId, recoveryPair(secret, node.gatewayId).publicKey)
    await service.call({ path: SERVICE_PATHS.recovery, body })
    return { gateway: node.gateway, fingerprint: fingerprintOf(key.publicKey) }
  } finally {
    service.close()
  }
}

/** The gateway's key by its recovery key. It is opened here: the service never sees what was typed, and can neither check nor count tries. */
export async function recoverKey(service: Pick<ServiceClient, 'call'>, gatewayId: string, secret: Buffer): Promise<GatewayKey> {
  const seal = await service.call({ method: 'GET', path: SERVICE_PATHS.recovery, answer: RecoverySeal })
  const key = await openRecovery(seal, recoveryPair(secret, gatewayId), gatewayId)
  if (!key) throw new Fault('RECOVERY_KEY_WRONG')
  return key
}
