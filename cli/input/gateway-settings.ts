import { type SettingsChange as Change, SettingsChange } from '@postern/protocol/api/gateways.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { z } from 'zod'

/** KEY=VALUE of `gateway set` and `node set` as the API takes them: numbers as numbers. Refuses what it does not know. */
export function gatewaySettings(pairs: ReadonlyMap<string, string>): Change {
  const shape: Readonly<Record<string, z.ZodType>> = SettingsChange.shape
  const settings: Record<string, unknown> = {}
  for (const [name, text] of pairs) {
    const schema = Object.hasOwn(shape, name) ? shape[name] : undefined
    if (!schema) throw new Fault('SETTING_UNKNOWN', { at: `"${name}" is none of ${Object.keys(shape).join(', ')}.` })
    settings[name] = settingValue(name, text, schema)
  }
  return settings
}

function settingValue(name: string, text: string, schema: z.ZodType): unknown {
  const asNumber = /^-?\d{1,15}$/.test(text) ? schema.safeParse(Number(text)) : undefined
  if (asNumber?.success) return asNumber.data
  const asText = schema.safeParse(text)
  if (asText.success) return asText.data
  const [issue] = asNumber?.error.issues ?? asText.error.issues
  throw new Fault('CONFIG_INVALID', {
    at: `${name}=${text}: ${issue?.message ?? 'not valid'}.`,
    remedy: 'See docs/reference/settings.md for what each setting takes.',
  })
}
