import type { Client } from '@postern/client/client.ts'
import type { ApplyKind, ApplyStore } from '@postern/protocol/api/apply.ts'
import type { Shell } from '../shell.ts'
import type { ApplySource } from './apply-source.ts'
import type { Change } from './change.ts'
import { planGateways } from './plan-gateways.ts'
import { planGrants, planGroups, planPeople, pruneGrants, pruneNamed } from './plan-people.ts'
import { planStores } from './plan-stores.ts'
import { readStoreSecrets, sealStore } from './seal-store.ts'

export interface PlanOptions {
  readonly client: Client
  readonly url: string
  readonly source: ApplySource
  /** What of these is there and not in the file is deleted. */
  readonly prune: readonly ApplyKind[]
  readonly reseal: boolean
  readonly acceptNewFingerprint: boolean
  readonly shell: Shell
}

/** Looks at what is there, and says what an apply would do, in the order in which it would: what others stand on first, deletes last and backwards. */
export async function planApply(options: PlanOptions): Promise<readonly Change[]> {
  const { client, source, prune, shell } = options
  const { file, where } = source
  const { signal } = shell
  const looksAt = (kind: ApplyKind) => file[kind] !== undefined || prune.includes(kind)
  const gateways = looksAt('gateways') || looksAt('stores') ? await client.gateways.list(signal) : []
  const stores = looksAt('stores') ? await client.stores.list(signal) : []
  const people = looksAt('people') ? await client.people.list(signal) : []
  const summaries = looksAt('groups') ? await client.groups.list(signal) : []
  const groups = await Promise.all(summaries.map(({ name }) => client.groups.get(name, signal)))
  const grants = looksAt('grants') ? await client.grants.list({}, signal) : []

  const seal = async (
    gateway: Parameters<typeof sealStore>[0]['gateway'],
    connector: Parameters<typeof sealStore>[0]['connector'],
    store: ApplyStore,
  ) =>
    sealStore({ ...options, acceptNew: options.acceptNewFingerprint, gateway, connector, store, secrets: secrets.get(store.secrets) ?? {} })
  // All secrets are read before anything is changed: one that is missing stops it while nothing is half done.
  const secrets = new Map<ApplyStore['secrets'], Readonly<Record<string, string>>>()
  for (const [name, store] of Object.entries(file.stores ?? {}))
    secrets.set(store.secrets, await readStoreSecrets(store, (secret) => where('stores', name, 'secrets', secret), shell))

  const remove = {
    gateways: (name: string, until: AbortSignal) => client.gateways.delete(name, until),
    stores: (name: string, until: AbortSignal) => client.stores.delete(name, until),
    people: (name: string, until: AbortSignal) => client.people.delete(name, until),
    groups: (name: string, until: AbortSignal) => client.groups.delete(name, until),
  }
  return [
    ...planGateways({ client, wanted: file.gateways ?? {}, actual: gateways, where }),
    ...planStores({ client, wanted: file.stores ?? {}, actual: stores, gateways, where, reseal: options.reseal, seal }),
    ...planPeople({ client, wanted: file.people ?? {}, actual: people, where }),
    ...planGroups({ client, wanted: file.groups ?? {}, actual: groups, where }),
    ...planGrants({ client, wanted: file.grants ?? [], actual: grants, where }),
    ...(prune.includes('grants') ? pruneGrants(client, file.grants ?? [], grants) : []),
    ...(prune.includes('groups') ? pruneNamed('group', file.groups ?? {}, groups, remove.groups) : []),
    ...(prune.includes('people') ? pruneNamed('person', file.people ?? {}, people, remove.people) : []),
    ...(prune.includes('stores') ? pruneNamed('store', file.stores ?? {}, stores, remove.stores) : []),
    ...(prune.includes('gateways') ? pruneNamed('gateway', file.gateways ?? {}, gateways, remove.gateways) : []),
  ]
}
