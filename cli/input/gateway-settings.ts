import { NodeSettingsChange, type NodeSettingsPatch, SettingsChange, type SettingsPatch } from '@postern/protocol/api/gateways.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { z } from 'zod'
import { parseLabels } from './pairs.ts'

/** KEY=VALUE of `gateway set` as the API takes them: numbers as numbers, null for `default`. Refuses what it does not know. */
export const gatewaySettings = (pairs: ReadonlyMap<string, string>): SettingsPatch => settingsOf(pairs, SettingsChange.shape)

/** The same for `node set`, which has more of them. */
export const nodeSettings = (pairs: ReadonlyMap<string, string>): NodeSettingsPatch => settingsOf(pairs, NodeSettingsChange.shape)

function settingsOf(pairs: ReadonlyMap<string, string>, shape: Readonly<Record<string, z.ZodType>>): Record<string, unknown> {
  const settings: Record<string, unknown> = {}
  for (const [name, text] of pairs) {
    const schema = Object.hasOwn(shape, name) ? shape[name] : undefined
    if (!schema) throw new Fault('SETTING_UNKNOWN', { at: `"${name}" is none of ${Object.keys(shape).join(', ')}.` })
    settings[name] = settingValue(name, text, schema)
  }
  return settings
}

function settingValue(name: string, text: string, schema: z.ZodType): unknown {
  if (text === 'default') return null
  const asNumber = /^-?\d{1,15}$/.test(text) ? schema.safeParse(Number(text)) : undefined
  if (asNumber?.success) return asNumber.data
  const asWord = text === 'true' || text === 'false' ? schema.safeParse(text === 'true') : undefined
  if (asWord?.success) return asWord.data
  const asText = schema.safeParse(text)
  if (asText.success) return asText.data
  // Empty is a value of its own for some settings; for all others it means the default.
  if (text === '') return null
  const asLabels = name === 'labels' ? schema.safeParse(parseLabels(text.split(','), 'labels')) : undefined
  if (asLabels?.success) return asLabels.data
  const [issue] = (asLabels ?? asNumber ?? asText).error?.issues ?? []
  throw new Fault('CONFIG_INVALID', {
    at: `${name}=${text}: ${issue?.message ?? 'not valid'}.`,
    remedy: 'See docs/reference/settings.md for what each setting takes.',
  })
}
