import type { Connector } from '@postern/connectors/contract.ts'
import { audienceOf, settingsMarked } from '@postern/connectors/contract.ts'
import { CONNECTORS } from '@postern/connectors/registry.ts'
import type { GatewayView } from '@postern/protocol/api/gateways.ts'
import type { StoreSettings, StoreView } from '@postern/protocol/api/stores.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { referenceName } from '@postern/protocol/reference.ts'
import { connect } from '../api/connect.ts'
import { trustGateway } from '../api/known-gateways.ts'
import { parseLabels, parsePairs } from '../input/pairs.ts'
import { parseReferences } from '../input/references.ts'
import { readSecrets } from '../input/secrets.ts'
import type { Shell } from '../shell.ts'

export interface StoreFlags {
  readonly gateway: string
  readonly kind: string
  readonly set: readonly string[]
  readonly secret: readonly string[]
  readonly secretRef: readonly string[]
  readonly nodeLabel: readonly string[]
  readonly acceptNewFingerprint?: boolean
}

/** Everything that can be refused without asking anybody is refused first; secrets are sealed before anything is sent. */
export async function createStore(name: string, flags: StoreFlags, shell: Shell): Promise<StoreView> {
  const connector = CONNECTORS.get(flags.kind)
  if (!connector) throw new Fault('STORE_KIND_UNKNOWN', { at: `"${flags.kind}" is none of ${[...CONNECTORS.keys()].join(', ')}.` })
  const settings = parsePairs(flags.set, '--set')
  const given = parsePairs(flags.secret, '--secret')
  const referred = parseReferences(flags.secretRef, given)
  checkNames(connector, settings, new Map([...given, ...referred]))
  const nodeLabels = parseLabels(flags.nodeLabel, '--node-label')
  const { client, url } = await connect(shell)
  const plain: StoreSettings = Object.fromEntries(settings)
  const body = { name, gateway: flags.gateway, kind: flags.kind, settings: plain, nodeLabels }
  if (given.size + referred.size === 0) return client.stores.create(body, shell.signal)
  const gateway = await client.gateways.get(flags.gateway, shell.signal)
  const sealed = await sealSecrets({ gateway, connector, plain, given, referred, url, flags, shell })
  return client.stores.create({ ...body, sealed, ...sealedTo(gateway), secrets: [...given.keys(), ...referred.keys()] }, shell.signal)
}

export interface SealParts {
  readonly gateway: GatewayView
  readonly connector: Connector
  /** The store's other settings: those that say where the secret goes are bound to it. */
  readonly plain: StoreSettings
  readonly given: ReadonlyMap<string, string>
  /** References in place of secrets. */
  readonly referred: ReadonlyMap<string, string>
  readonly url: string
  readonly flags: Pick<StoreFlags, 'acceptNewFingerprint'>
  readonly shell: Shell
}

export async function sealSecrets({ gateway, connector, plain, given, referred, url, flags, shell }: SealParts): Promise<string> {
  const references = [...referred].map(([name, reference]) => [referenceName(name), reference])
  const secrets = { ...(await readSecrets(given, shell)), ...Object.fromEntries(references) }
  const publicKey = await trustedKey(gateway, url, flags, shell)
  const { seal } = await import('@postern/client/seal.ts')
  return seal(publicKey, { gatewayId: gateway.id, kind: connector.kind, audience: audienceOf(connector, plain) }, secrets)
}

/** So that a credential which was on its way while the key was rotated is refused, and not kept unreadable. */
export const sealedTo = ({ publicKey }: Pick<GatewayView, 'publicKey'>) => (publicKey === null ? {} : { sealedTo: publicKey })

export function checkNames(connector: Connector, settings: ReadonlyMap<string, string>, secrets: ReadonlyMap<string, string>): void {
  const secretNames = settingsMarked(connector, 'secret')
  const plainNames = Object.keys(connector.config.shape).filter((name) => !secretNames.includes(name))
  for (const key of settings.keys()) {
    if (secretNames.includes(key)) throw new Fault('STORE_SECRET_IN_CLEAR', { at: `"${key}" is a secret of kind ${connector.kind}.` })
    if (!plainNames.includes(key)) {
      throw new Fault('SETTING_UNKNOWN', { at: `"${key}" of kind ${connector.kind} is none of ${plainNames.join(', ')}.` })
    }
  }
  for (const key of secrets.keys()) {
    if (secretNames.includes(key)) continue
    const there =
      secretNames.length > 0
        ? `the secrets of kind ${connector.kind} are ${secretNames.join(', ')}`
        : `kind ${connector.kind} has no secrets`
    throw new Fault('SETTING_UNKNOWN', {
      at: `--secret ${key}: ${there}.`,
      remedy: plainNames.includes(key) ? `Give it with --set ${key}=VALUE.` : 'Leave it out.',
    })
  }
}

async function trustedKey(gateway: GatewayView, url: string, flags: SealParts['flags'], shell: Shell): Promise<string> {
  if (gateway.publicKey === null) throw new Fault('GATEWAY_KEY_MISSING', { at: `(gateway ${gateway.name})` })
  await trustGateway({
    shell,
    url,
    gateway: { id: gateway.id, name: gateway.name, publicKey: gateway.publicKey },
    acceptNew: flags.acceptNewFingerprint === true,
  })
  return gateway.publicKey
}
