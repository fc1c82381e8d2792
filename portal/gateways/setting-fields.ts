/** The settings of gateways and nodes as a form sees them: made from their schemas, so that none is forgotten. */
import { GatewaySettings, NodeSettings, NodeSettingsPatch } from '@postern/protocol/api/gateways.ts'
import { z } from 'zod'
import { labelsText } from './labels.ts'
import { CHOICES, GROUPS, HINTS } from './setting-words.ts'

export type SettingName = keyof NodeSettings
export type SettingValue = NodeSettings[SettingName]
/** null takes a setting back. An empty text stands for a number that is not there yet. */
export type Draft = Readonly<Partial<Record<SettingName, SettingValue | null>>>

interface Words {
  readonly name: SettingName
  readonly title: string
  readonly hint: string | undefined
  readonly standard: SettingValue
}

export interface ChoiceField extends Words {
  readonly kind: 'choice'
  readonly choices: readonly { readonly value: string; readonly says: string }[]
}
/** `slots`: a number or `auto`. */
export interface WholeField extends Words {
  readonly kind: 'number' | 'slots'
  readonly min: number
  readonly max: number
  readonly unit: string
}
interface PlainField extends Words {
  readonly kind: 'switch' | 'text' | 'labels'
}
export type SettingField = ChoiceField | WholeField | PlainField

export interface SettingGroup {
  readonly title: string
  readonly fields: readonly SettingField[]
}

/** What z.toJSONSchema says of one setting. */
interface Said {
  readonly type?: string
  readonly title?: string
  readonly enum?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly anyOf?: readonly Said[]
}

const UNITS = [
  ['Percent', ' %'],
  ['Minutes', ' min'],
  ['Seconds', ' s'],
  ['Days', ' days'],
  ['Ms', ' ms'],
] as const

export const unitOf = (name: string): string => UNITS.find(([end]) => name.endsWith(end))?.[1] ?? ''

export const GATEWAY_GROUPS: readonly SettingGroup[] = groupsOf(Object.keys(GatewaySettings.shape))
/** With what only a node has. */
export const NODE_GROUPS: readonly SettingGroup[] = groupsOf(Object.keys(NodeSettings.shape))

function groupsOf(names: readonly string[]): readonly SettingGroup[] {
  return GROUPS.map((group) => ({ title: group.title, fields: group.names.filter((name) => names.includes(name)).map(fieldOf) })).filter(
    ({ fields }) => fields.length > 0,
  )
}

function fieldOf(name: SettingName): SettingField {
  const schema = NodeSettings.shape[name]
  const said = z.toJSONSchema(schema, { io: 'input' }) as Said
  const words: Words = { name, title: said.title ?? name, hint: HINTS[name], standard: schema.parse(undefined) }
  if (said.enum) return { ...words, kind: 'choice', choices: said.enum.map((value) => ({ value, says: CHOICES[value] ?? '' })) }
  const whole = [said, ...(said.anyOf ?? [])].find(({ type }) => type === 'integer')
  if (whole)
    return { ...words, kind: whole === said ? 'number' : 'slots', min: whole.minimum ?? 0, max: whole.maximum ?? 0, unit: unitOf(name) }
  return { ...words, kind: said.type === 'boolean' ? 'switch' : said.type === 'object' ? 'labels' : 'text' }
}

/** What is wrong with each that cannot be saved, in words. */
export function problemsOf(fields: readonly SettingField[], draft: Draft): ReadonlyMap<SettingName, string> {
  const { error } = NodeSettingsPatch.safeParse(draft)
  const wrong = new Set(error?.issues.map(({ path }) => path[0]))
  return new Map(fields.filter(({ name }) => wrong.has(name)).map((field) => [field.name, allowed(field)]))
}

function allowed(field: SettingField): string {
  switch (field.kind) {
    case 'number':
      return `A whole number from ${field.min} to ${field.max}.`
    case 'slots':
      return `“auto”, or a whole number from ${field.min} to ${field.max}.`
    case 'choice':
      return `One of ${field.choices.map(({ value }) => value).join(', ')}.`
    case 'switch':
      return 'Yes or no.'
    case 'labels':
      return 'KEY=VALUE, KEY=VALUE: letters, digits, “.”, “_” and “-”; at most 32.'
    case 'text':
      return 'http://HOST:PORT or https://HOST:PORT, or nothing.'
    default:
      throw field satisfies never
  }
}

/** What is in force where nobody changed it here, and what was changed here. */
export interface SettingsInForce {
  readonly fallback: NodeSettings
  readonly own: { readonly [Name in SettingName]?: SettingValue | undefined }
}

/** What has to be sent: only what differs from what is so. */
export function changesOf(draft: Draft, { fallback, own }: SettingsInForce): Draft {
  return Object.fromEntries(
    (Object.entries(draft) as [SettingName, SettingValue | null][]).filter(([name, value]) =>
      value === null ? own[name] !== undefined : !same(value, own[name] ?? fallback[name]),
    ),
  )
}

export const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

const LENGTHS = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
] as const

/** A value as a person says it: 28800 seconds are "8 h". */
export function inWords(name: SettingName, value: SettingValue): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value === 'object') return labelsText(value) || 'none'
  if (typeof value === 'string') return value === '' ? 'none' : value
  const seconds = name.endsWith('Seconds') ? value : name.endsWith('Ms') ? value / 1_000 : undefined
  if (seconds === undefined || seconds === 0) return `${value}${unitOf(name)}`
  const [length, unit] = LENGTHS.find(([size]) => seconds % size === 0) ?? [1, 's']
  return `${seconds / length} ${unit}`
}
