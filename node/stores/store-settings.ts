import { Secret } from '@postern/base/log.ts'
import { type Connector, settingsMarked } from '@postern/connectors/contract.ts'
import type { StoreSettings } from '@postern/protocol/api/stores.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { NodeStore } from '@postern/protocol/node-api.ts'
import type { z } from 'zod'

interface Usable {
  readonly settings: StoreSettings
  readonly secrets: Readonly<Record<string, Secret>>
}

/** Settings and secrets as the connector's schema wants them: with defaults, nothing unknown, the secrets apart. */
export function usableSettings(connector: Connector, settings: StoreSettings, secrets: Readonly<Record<string, Secret>>): Usable {
  const inClear = Object.fromEntries(Object.entries(secrets).map(([name, secret]) => [name, secret.reveal()]))
  const parsed = connector.config.safeParse({ ...settings, ...inClear })
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    // Of a secret only its name: a schema's message may quote the value.
    const name = issue?.path.join('.') || 'settings'
    throw new Fault('STORE_SETTINGS_INVALID', { at: Object.hasOwn(secrets, name) ? name : `${name}: ${issue?.message ?? 'not valid'}` })
  }
  const marked = new Set(settingsMarked(connector, 'secret'))
  const all = Object.entries(parsed.data as StoreSettings).filter(([, value]) => value !== undefined)
  return {
    settings: Object.fromEntries(all.filter(([name]) => !marked.has(name))),
    secrets: Object.fromEntries(all.filter(([name]) => marked.has(name)).map(([name, value]) => [name, new Secret(String(value))])),
  }
}

/** Host and port, with the port that the kind has by default. */
export function placeOf(connector: Connector | undefined, { name, settings }: Pick<NodeStore, 'name' | 'settings'>) {
  const schema = connector?.config.shape['port'] as z.ZodType | undefined
  const port = schema?.safeParse(settings['port']).data
  const host = settings['host']
  if (typeof host !== 'string' || typeof port !== 'number') throw new Fault('CONNECT_UNSUPPORTED', { at: `(${name})` })
  return { host, port }
}
