/** One thing that an apply does, or need not do. */
export interface Field {
  readonly name: string
  /** As text for a person; undefined where there was, or will be, nothing. */
  readonly before?: string | undefined
  readonly after?: string | undefined
}

export interface Change {
  readonly kind: 'gateway' | 'node' | 'store' | 'person' | 'group' | 'grant'
  readonly name: string
  /** `wait`: it cannot be done yet, `why` says what for. */
  readonly action: 'create' | 'change' | 'delete' | 'same' | 'wait'
  readonly fields: readonly Field[]
  readonly why?: string
  /** In the file. */
  readonly where?: string
  /** Does it; gives what is shown this once (keys, first passwords). */
  readonly run: (signal: AbortSignal) => Promise<Readonly<Record<string, string>>>
}

type Values = Readonly<Record<string, unknown>>

/** What differs; fields that are undefined on the wanted side are not looked at. */
export function differences(before: Values, wanted: Values, prefix = ''): Field[] {
  return Object.entries(wanted)
    .filter(([name, value]) => value !== undefined && shown(before[name]) !== shown(value))
    .map(([name, value]) => ({ name: prefix + name, before: shown(before[name]), after: shown(value) }))
}

/** The same text for the same value, whatever the order of its keys. */
export function shown(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'object') return String(value)
  if (Array.isArray(value)) return value.map(shown).join(', ')
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1))
  return entries.length === 0 ? undefined : entries.map(([name, inner]) => `${name}=${shown(inner) ?? ''}`).join(' ')
}

export const nothing = async (): Promise<Readonly<Record<string, string>>> => ({})
