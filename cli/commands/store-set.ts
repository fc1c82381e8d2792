import { CONNECTORS } from '@postern/connectors/registry.ts'
import type { StoreLimitsChange } from '@postern/protocol/api/query-limits.ts'
import type { StoreSettings, StoreView } from '@postern/protocol/api/stores.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { connect } from '../api/connect.ts'
import { limitValue } from '../input/limits.ts'
import { parsePairs } from '../input/pairs.ts'
import { parseReferences } from '../input/references.ts'
import type { Shell } from '../shell.ts'
import { checkNames, sealedTo, sealSecrets } from './store-create.ts'

export interface StoreSetFlags {
  readonly secret: readonly string[]
  readonly secretRef: readonly string[]
  readonly acceptNewFingerprint?: boolean
}

const LIMIT = 'limit.'

/** What is not named stays as it is. */
export async function setStore(name: string, words: readonly string[], flags: StoreSetFlags, shell: Shell): Promise<StoreView> {
  const pairs = parsePairs(words, 'store set')
  const given = parsePairs(flags.secret, '--secret')
  const referred = parseReferences(flags.secretRef, given)
  const secrets = new Map([...given, ...referred])
  if (pairs.size + secrets.size === 0) throw new Fault('INPUT_INVALID', { at: 'There is nothing to set: give KEY=VALUE or --secret.' })
  const limits = limitsOf(pairs)
  const settings = new Map([...pairs].filter(([key]) => !key.startsWith(LIMIT)))
  const { client, url } = await connect(shell)
  const limiting = Object.keys(limits).length > 0 ? { limits } : {}
  if (settings.size + secrets.size === 0) return client.stores.change(name, limiting, shell.signal)

  const store = await client.stores.get(name, shell.signal)
  const connector = CONNECTORS.get(store.kind)
  if (!connector) throw new Fault('STORE_KIND_UNKNOWN', { at: `"${store.kind}" is not known to this version of the command line.` })
  checkNames(connector, settings, secrets)
  const plain = merged(store.settings, settings)
  if (secrets.size === 0) return client.stores.change(name, { settings: plain, ...limiting }, shell.signal)
  const gateway = await client.gateways.get(store.gateway, shell.signal)
  const sealed = await sealSecrets({ gateway, connector, plain, given, referred, url, flags, shell })
  return client.stores.change(
    name,
    { settings: plain, sealed, ...sealedTo(gateway), secrets: [...secrets.keys()], ...limiting },
    shell.signal,
  )
}

function limitsOf(pairs: ReadonlyMap<string, string>): StoreLimitsChange {
  const limits: Record<string, number | null> = {}
  for (const [key, text] of pairs) {
    if (!key.startsWith(LIMIT)) continue
    const name = key.slice(LIMIT.length)
    // Checked also where it is taken away: a wrong name would do nothing.
    const value = limitValue(name, text === '' ? '1024' : text, key)
    limits[name] = text === '' ? null : value
  }
  return limits
}

function merged(before: StoreSettings, changes: ReadonlyMap<string, string>): StoreSettings {
  const settings: Record<string, string | number | boolean> = { ...before, ...Object.fromEntries(changes) }
  for (const [key, text] of changes) if (text === '') delete settings[key]
  return settings
}
