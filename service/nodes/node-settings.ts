import type { NodeSettingsPatch } from '@postern/protocol/api/gateways.ts'

/** A change as the audit keeps it. */
export function settingsInWords(patch: NodeSettingsPatch): Record<string, string | number | boolean> {
  const words: Record<string, string | number | boolean> = {}
  for (const [name, value] of Object.entries(patch)) {
    if (value === undefined) continue
    words[name] = value === null ? 'default' : typeof value === 'object' ? JSON.stringify(value) : value
  }
  return words
}
