import { GatewaySettings, type NodeSettingsPatch, type SettingsChange } from '@postern/protocol/api/gateways.ts'

/** A change as the audit keeps it. */
export function settingsInWords(patch: NodeSettingsPatch): Record<string, string | number | boolean> {
  const words: Record<string, string | number | boolean> = {}
  for (const [name, value] of Object.entries(patch)) {
    if (value === undefined) continue
    words[name] = value === null ? 'default' : typeof value === 'object' ? JSON.stringify(value) : value
  }
  return words
}

/**
 * What is kept of a gateway's settings, with defaults. Replicas of two versions share a database while one takes the place of the other: a
 * setting that this one does not know, or whose value it does not, must not keep it from reading all the others.
 */
export function settingsOf(kept: SettingsChange): GatewaySettings {
  const { shape } = GatewaySettings
  const known = Object.entries(kept).filter(
    ([name, value]) => Object.hasOwn(shape, name) && shape[name as keyof typeof shape].safeParse(value).success,
  )
  return GatewaySettings.parse(Object.fromEntries(known))
}
