import { createHash } from 'node:crypto'
import type { Client } from '@postern/client/client.ts'
import { audienceOf, type Connector } from '@postern/connectors/contract.ts'
import { CONNECTORS } from '@postern/connectors/registry.ts'
import type { ApplyFile, ApplyStore } from '@postern/protocol/api/apply.ts'
import type { GatewayView } from '@postern/protocol/api/gateways.ts'
import { StoreLimits, type StoreLimitsChange } from '@postern/protocol/api/query-limits.ts'
import type { StoreSettings, StoreView } from '@postern/protocol/api/stores.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { z } from 'zod'
import { type Change, differences, type Field, nothing } from './change.ts'

export interface StorePlanParts {
  readonly client: Client
  readonly wanted: NonNullable<ApplyFile['stores']>
  readonly actual: readonly StoreView[]
  readonly gateways: readonly GatewayView[]
  readonly where: (...path: readonly (string | number)[]) => string
  /** Seal all secrets anew, whatever their version says. */
  readonly reseal: boolean
  readonly seal: (gateway: GatewayView, connector: Connector, store: ApplyStore) => Promise<string>
}

export function planStores(parts: StorePlanParts): Change[] {
  return Object.entries(parts.wanted).map(([name, store]) => planStore(parts, name, store))
}

function planStore(parts: StorePlanParts, name: string, store: ApplyStore): Change {
  const { actual, gateways, where, reseal, client } = parts
  const base = { kind: 'store', name, where: where('stores', name) } as const
  const connector = CONNECTORS.get(store.kind)
  if (!connector)
    throw refused(where('stores', name, 'kind'), 'STORE_KIND_UNKNOWN', `"${store.kind}" is none of ${[...CONNECTORS.keys()].join(', ')}`)
  const settings = converted(connector, store.settings)
  const there = actual.find((one) => one.name === name)
  if (there && (there.gateway !== store.gateway || there.kind !== store.kind)) {
    const at = `stores.${name} is ${there.kind} on ${there.gateway}: a store does not move; delete it, or choose another name`
    throw refused(where('stores', name), 'INPUT_INVALID', at)
  }
  const secrets = Object.keys(store.secrets)
  const secretsVersion = labelOf(store)
  const moved = there && JSON.stringify(audienceOf(connector, there.settings)) !== JSON.stringify(audienceOf(connector, settings))
  const resealed =
    secrets.length > 0 &&
    (!there || reseal || moved === true || there.secretsVersion !== secretsVersion || !sameNames(there.secrets, secrets))
  const dropped = there !== undefined && secrets.length === 0 && there.secrets.length > 0
  const gateway = gateways.find((one) => one.name === store.gateway)
  if (resealed && !gateway?.publicKey)
    return { ...base, action: 'wait', fields: [], why: `gateway ${store.gateway} has no key before its first node joins`, run: nothing }
  const fields: Field[] = [
    ...differences(there?.settings ?? {}, settings, 'settings.'),
    ...gone(there?.settings ?? {}, settings),
    ...differences({ nodeLabels: there?.nodeLabels }, { nodeLabels: store.nodeLabels }),
    ...limitFields(there?.limits ?? {}, store.limits),
    ...(resealed || dropped
      ? [
          {
            name: 'secrets',
            before: there?.secrets.join(', ') || undefined,
            after: secrets.length > 0 ? `${secrets.join(', ')} (sealed anew)` : undefined,
          },
        ]
      : []),
  ]
  const run = async (signal: AbortSignal) => {
    const credential =
      resealed && gateway?.publicKey
        ? { sealed: await parts.seal(gateway, connector, { ...store, settings }), sealedTo: gateway.publicKey, secrets, secretsVersion }
        : {}
    const { nodeLabels, limits } = store
    const labelled = nodeLabels ? { nodeLabels } : {}
    if (!there) {
      const body = { name, gateway: store.gateway, kind: store.kind, settings, ...credential, ...labelled, ...(limits ? { limits } : {}) }
      await client.stores.create(body, signal)
      return {}
    }
    const without = dropped ? { secrets: [] } : credential
    const limited = limits ? { limits: limitsChange(limits) } : {}
    const opens = fields.some((field) => field.name.startsWith('settings.')) || resealed || dropped
    await client.stores.change(name, { ...(opens ? { settings } : {}), ...without, ...labelled, ...limited }, signal)
    return {}
  }
  return { ...base, action: there ? (fields.length > 0 ? 'change' : 'same') : 'create', fields, run }
}

/** As the service keeps them: "5432" and 5432 are the same. */
function converted(connector: Connector, settings: StoreSettings): StoreSettings {
  const shape = connector.config.shape as Readonly<Record<string, z.ZodType>>
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => {
      const parsed = Object.hasOwn(shape, name) ? shape[name]?.safeParse(value) : undefined
      return [name, parsed?.success ? (parsed.data as string | number | boolean) : value]
    }),
  )
}

/**
 * By what it is known that the secrets are those of the file: its version, and where they come from. Nothing is made from the secrets
 * themselves: whoever reads the service's database could try passwords against it.
 */
export function labelOf({ secrets, secretsVersion }: ApplyStore): string {
  const sources = Object.entries(secrets).sort(([one], [other]) => (one < other ? -1 : 1))
  return `${secretsVersion ?? ''} ${createHash('sha256').update(JSON.stringify(sources)).digest('hex').slice(0, 16)}`.trim()
}

function gone(before: StoreSettings, wanted: StoreSettings): Field[] {
  const names = Object.keys(before).filter((name) => !Object.hasOwn(wanted, name))
  return names.map((name) => ({ name: `settings.${name}`, before: String(before[name]) }))
}

function limitFields(before: StoreLimits, wanted: StoreLimits | undefined): Field[] {
  if (!wanted) return []
  const lost = Object.entries(before).filter(([name]) => !Object.hasOwn(wanted, name))
  return [...differences(before, wanted, 'limits.'), ...lost.map(([name, value]) => ({ name: `limits.${name}`, before: String(value) }))]
}

const limitsChange = (wanted: StoreLimits): StoreLimitsChange =>
  Object.fromEntries(Object.keys(StoreLimits.shape).map((name) => [name, wanted[name as keyof StoreLimits] ?? null]))

const sameNames = (one: readonly string[], other: readonly string[]) => [...one].sort().join(' ') === [...other].sort().join(' ')

function refused(place: string, code: 'INPUT_INVALID' | 'STORE_KIND_UNKNOWN', at: string): Fault {
  return new Fault(code, { at: `${place}: ${at}.` })
}
