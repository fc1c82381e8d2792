/** What a form for a store asks, and what becomes of it. Pure. */
import type { SettingSchema, StoreKindView } from '@postern/protocol/api/store-kinds.ts'
import type { StoreSettings } from '@postern/protocol/api/stores.ts'
import { parseReference, referenceName } from '@postern/protocol/reference.ts'

export interface SettingField {
  readonly name: string
  readonly schema: SettingSchema
  readonly required: boolean
}

export interface FieldGroups {
  /** Where the store is, and as whom it is opened. */
  readonly main: readonly SettingField[]
  readonly secrets: readonly SettingField[]
  /** What has a good default: forms fold it. */
  readonly more: readonly SettingField[]
}

/** As they are typed; empty: left out. Flags are "yes" and "no". */
export type Typed = Readonly<Record<string, string | number>>
export interface TypedSecret {
  /** `typed`: here, and sealed here; `reference`: the node reads it where it lies. */
  readonly as: 'typed' | 'reference'
  readonly text: string
}
export type TypedSecrets = Readonly<Record<string, TypedSecret>>

export function groupsOf({ config }: StoreKindView): FieldGroups {
  const fields = Object.entries(config.properties).map(([name, schema]) => ({ name, schema, required: config.required.includes(name) }))
  const secrets = fields.filter(({ schema }) => schema.secret)
  const open = fields.filter(({ schema }) => !schema.secret)
  const isMain = ({ schema, required }: SettingField) => required || schema.audience === true || isOfTheConnection(schema)
  return { main: open.filter(isMain), secrets, more: open.filter((field) => !isMain(field)) }
}

/** Neither a limit, nor something that a copy may say, nor a long text such as a certificate. */
const isOfTheConnection = ({ copy, type, maxLength = 0 }: SettingSchema): boolean => !copy && type === 'string' && maxLength <= LONG

/** A longer text is asked for in several lines. */
export const LONG = 4_096

/** What is wrong, by the names of the settings; empty when all is well. What only the node can know, it says when it tests the store. */
export function problemsOf(fields: readonly SettingField[], typed: Typed): Readonly<Record<string, string>> {
  return Object.fromEntries(
    fields.flatMap((field) => {
      const problem = problemOf(field, typed[field.name] ?? '')
      return problem === undefined ? [] : [[field.name, problem]]
    }),
  )
}

function problemOf({ schema, required }: SettingField, value: string | number): string | undefined {
  if (value === '') return required ? 'Is needed' : undefined
  if (schema.type === 'integer' || schema.type === 'number') return numberProblem(schema, Number(value))
  const text = String(value)
  if (schema.minLength !== undefined && text.length < schema.minLength) return `At least ${schema.minLength} characters`
  if (schema.maxLength !== undefined && text.length > schema.maxLength) return `At most ${schema.maxLength} characters`
  if (schema.format === 'uri' ? !isWebAddress(text) : schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(text)) {
    const [example] = schema.examples ?? []
    return example === undefined ? 'Is not of the form that is wanted here' : `Is wanted in the form of ${example}`
  }
  return undefined
}

const isWebAddress = (text: string) => /^https?:\/\//i.test(text) && URL.canParse(text)

function numberProblem({ type, minimum, maximum }: SettingSchema, value: number): string | undefined {
  if (!Number.isFinite(value) || (type === 'integer' && !Number.isInteger(value))) return 'A whole number'
  if (minimum !== undefined && value < minimum) return `At least ${minimum}`
  if (maximum !== undefined && value > maximum) return `At most ${maximum}`
  return undefined
}

/** References that are none. A text is never quoted: it may be a secret in the wrong place. */
export function secretProblems(secrets: TypedSecrets): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(secrets).flatMap(([name, { as, text }]) =>
      as === 'reference' && text !== '' && !parseReference(text)
        ? [[name, 'env:POSTERN_REF_NAME, file:NAME or vault:MOUNT/data/PATH#FIELD']]
        : [],
    ),
  )
}

/** Numbers as numbers and flags as flags: what a sealed secret is bound to is made from these. */
export function settingsOf(fields: readonly SettingField[], typed: Typed): StoreSettings {
  const settings: Record<string, string | number | boolean> = {}
  for (const { name, schema } of fields) {
    const value = typed[name] ?? ''
    if (value === '') continue
    if (schema.type === 'boolean') settings[name] = value === 'yes'
    else settings[name] = schema.type === 'string' ? String(value) : Number(value)
  }
  return settings
}

/** The settings of a store that there is, as if they had been typed. */
export function typedOf(settings: StoreSettings): Typed {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [name, typeof value === 'boolean' ? (value ? 'yes' : 'no') : value]),
  )
}

/** What is sealed, and the names that the service is told. */
export function sealedPartsOf(secrets: TypedSecrets): {
  readonly plain: Readonly<Record<string, string>>
  readonly names: readonly string[]
} {
  const given = Object.entries(secrets).filter(([, { text }]) => text !== '')
  return {
    plain: Object.fromEntries(given.map(([name, { as, text }]) => [as === 'reference' ? referenceName(name) : name, text])),
    names: given.map(([name]) => name),
  }
}

/** "site=berlin, disk=ssd"; undefined when it is not of that form. */
export function labelsOf(text: string): Readonly<Record<string, string>> | undefined {
  const pairs = text
    .split(',')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '')
    .map((pair) => pair.split('='))
  const good = pairs.every(([name, value, ...more]) => more.length === 0 && NAME.test(name ?? '') && NAME.test(value ?? ''))
  return good ? Object.fromEntries(pairs) : undefined
}

export const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/
