/** Whether the settings of a store are what its connector takes. Pure. */

import { type Connector, settingsMarked } from '@postern/connectors/contract.ts'
import type { StoreSettings } from '@postern/protocol/api/stores.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { z } from 'zod'

/** Fails with STORE_KIND_UNKNOWN and the kinds there are. */
export function connectorOf(connectors: ReadonlyMap<string, Connector>, kind: string): Connector {
  const connector = connectors.get(kind)
  if (connector) return connector
  throw new Fault('STORE_KIND_UNKNOWN', { at: `"${kind}" is none of ${[...connectors.keys()].join(', ')}.` })
}

/** What was given, converted ("5432" → 5432). Defaults are not filled in: the node does that when it opens the store. */
export function checkSettings(connector: Connector, settings: StoreSettings, secrets: readonly string[]): StoreSettings {
  const shape = connector.config.shape as Readonly<Record<string, z.ZodType>>
  const secretNames = new Set(settingsMarked(connector, 'secret'))
  for (const name of [...Object.keys(settings), ...secrets]) if (!Object.hasOwn(shape, name)) throw unknown(name, shape)
  const inClear = Object.keys(settings).find((name) => secretNames.has(name))
  if (inClear) throw new Fault('STORE_SECRET_IN_CLEAR', { at: `It is ${inClear}.` })
  const open = secrets.find((name) => !secretNames.has(name))
  if (open) throw new Fault('STORE_SETTINGS_INVALID', { at: `${open}: is no secret; give it with --set.` })
  const checked: Record<string, string | number | boolean> = {}
  for (const [name, schema] of Object.entries(shape)) {
    if (secretNames.has(name)) {
      if (!secrets.includes(name) && !schema.safeParse(undefined).success)
        throw new Fault('STORE_SETTINGS_INVALID', { at: `${name}: is missing; give it with --secret.` })
      continue
    }
    const parsed = schema.safeParse(settings[name])
    if (!parsed.success) throw invalid(name, settings[name], parsed.error)
    if (settings[name] !== undefined) checked[name] = parsed.data as string | number | boolean
  }
  return checked
}

function unknown(name: string, shape: Readonly<Record<string, unknown>>): Fault {
  return new Fault('SETTING_UNKNOWN', { at: `"${name}" is none of ${Object.keys(shape).join(', ')}.` })
}

function invalid(name: string, value: unknown, error: z.ZodError): Fault {
  const said = value === undefined ? 'is missing' : (error.issues[0]?.message ?? 'is not valid')
  return new Fault('STORE_SETTINGS_INVALID', { at: `${name}: ${said}.` })
}
