import type { StoreKindView } from '@postern/protocol/api/store-kinds.ts'
import type { StoreSettings } from '@postern/protocol/api/stores.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { useState } from 'react'
import { inPortalWords } from '../parts/portal-words.ts'
import { placeOfFault } from './fault-place.ts'
import {
  type FieldGroups,
  groupsOf,
  problemsOf,
  secretProblems,
  settingsOf,
  type Typed,
  type TypedSecret,
  type TypedSecrets,
  typedOf,
} from './store-form.ts'

export interface StoreFormState {
  readonly groups: FieldGroups
  readonly typed: Typed
  readonly secrets: TypedSecrets
  /** By name; shown once it was tried to send. */
  readonly problems: Readonly<Record<string, string>>
  readonly setSetting: (name: string, value: string | number) => void
  readonly setSecret: (name: string, secret: TypedSecret) => void
  /** The settings to send; undefined while something is wrong, which is shown from now on. */
  readonly check: () => StoreSettings | undefined
}

/** What is typed about a store of one kind. `kept`: names of the secrets that it has already. */
export function useStoreForm(kind: StoreKindView, settings: StoreSettings = {}, kept: readonly string[] = []): StoreFormState {
  const groups = groupsOf(kind)
  const fields = [...groups.main, ...groups.more]
  const [typed, setTyped] = useState<Typed>(() => typedOf(settings))
  const [secrets, setSecrets] = useState<TypedSecrets>({})
  const [tried, setTried] = useState(false)
  const missing = groups.secrets.filter(({ name, required }) => required && !kept.includes(name) && !secrets[name]?.text)
  const problems = {
    ...problemsOf(fields, typed),
    ...Object.fromEntries(missing.map(({ name }) => [name, 'Is needed'])),
    ...secretProblems(secrets),
  }
  return {
    groups,
    typed,
    secrets,
    problems: tried ? problems : {},
    setSetting: (name, value) => setTyped((before) => ({ ...before, [name]: value })),
    setSecret: (name, secret) => setSecrets((before) => ({ ...before, [name]: secret })),
    check: () => {
      setTried(true)
      return Object.keys(problems).length === 0 ? settingsOf(fields, typed) : undefined
    },
  }
}

interface ToldForm {
  readonly form: StoreFormState
  /** By names of fields, those that are no settings too. */
  readonly problems: Readonly<Record<string, string>>
  /** What is about no field: it stands at the end of the form. */
  readonly rest: unknown
}

/** What was refused, with what to do about it, at the field that it is about. */
export function withFault(form: StoreFormState, cause: unknown): ToldForm {
  if (!cause) return { form, problems: form.problems, rest: undefined }
  const { code, message, remedy } = Fault.from(cause)
  const { main, secrets, more } = form.groups
  const place = placeOfFault(
    { code, message },
    [...main, ...secrets, ...more].map(({ name }) => name),
  )
  if (place === undefined) return { form, problems: form.problems, rest: cause }
  const problems = { [place]: `${message}${/[.!?]$/.test(message) ? '' : '.'} ${inPortalWords(remedy)} (${code})`, ...form.problems }
  return { form: { ...form, problems }, problems, rest: undefined }
}
