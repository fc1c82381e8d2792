/** What of the form cannot be, before the service is asked: by the name of the field. Pure. */
import { problemsOf as settingProblems } from '../stores/store-form.ts'
import { type CopyForm, type CopyKinds, copyFields, NAME_MARK, nameOf } from './copy-form.ts'

type AmountName = 'parts' | 'skipLimit' | 'parallel' | 'rowsPerSecond' | 'megabytesPerSecond' | 'timeoutMinutes' | 'retries'

/** As the service takes them. */
export const RANGES: Readonly<Record<AmountName, { readonly min: number; readonly max: number; readonly whole: boolean }>> = {
  parts: { min: 1, max: 10_000, whole: true },
  skipLimit: { min: 1, max: 1_000_000_000, whole: true },
  parallel: { min: 1, max: 1_000, whole: true },
  rowsPerSecond: { min: 1, max: 1_000_000_000, whole: true },
  megabytesPerSecond: { min: 0.001_024, max: 1_000_000, whole: false },
  timeoutMinutes: { min: 1 / 60, max: 31 * 1_440, whole: false },
  retries: { min: 0, max: 20, whole: true },
}

export interface CopyProblems {
  readonly fields: Readonly<Partial<Record<keyof CopyForm, string>>>
  /** Of options of the kinds. */
  readonly read: Readonly<Record<string, string>>
  readonly write: Readonly<Record<string, string>>
}

export function problemsOf(form: CopyForm, kinds: CopyKinds): CopyProblems {
  return {
    fields: { ...amountProblems(form), ...endProblems(form), ...modeProblems(form) },
    read: settingProblems(copyFields(kinds.source), form.read),
    write: settingProblems(copyFields(kinds.sink), form.write),
  }
}

export const isSound = ({ fields, read, write }: CopyProblems): boolean =>
  [fields, read, write].every((all) => Object.keys(all).length === 0)

function endProblems(form: CopyForm): CopyProblems['fields'] {
  const names = form.from.map(nameOf)
  const several = form.takes === 'names' && form.from.length > 1
  return {
    ...(form.source === '' && { source: 'Choose the store that is read' }),
    ...(form.sink === '' && { sink: 'Choose the store that is written' }),
    ...(form.takes === 'names' && form.from.length === 0 && { from: 'Choose or type what is copied' }),
    ...(form.takes === 'query' && form.query.trim() === '' && { query: 'Type the query whose result is copied' }),
    ...(form.to.trim() === '' && { to: 'Say where it goes' }),
    ...(form.partitionBy.length > 0 && !form.to.trim().endsWith('/') && { to: 'Folders by values lie in a folder: end it with “/”' }),
    ...(several && !form.to.includes(NAME_MARK) && { to: `Put ${NAME_MARK} where the name of each goes: they cannot all go to one place` }),
    ...(several &&
      form.to.includes(NAME_MARK) &&
      new Set(names).size < names.length && { from: 'Two of them have the same name: copy them one by one' }),
  }
}

function modeProblems(form: CopyForm): CopyProblems['fields'] {
  return {
    ...(form.mode === 'upsert' && form.key.length === 0 && { key: 'Upsert needs the columns that tell rows apart' }),
    ...(form.mode === 'overwrite' &&
      form.watermark.trim() !== '' && { watermark: 'Overwrite would take away the rows that are not read: append or upsert' }),
    ...(form.skips && form.rejectStore !== '' && form.rejectPath.trim() === '' && { rejectPath: 'Say which folder' }),
  }
}

function amountProblems(form: CopyForm): CopyProblems['fields'] {
  const asked = (Object.keys(RANGES) as AmountName[]).filter((name) => form[name] !== '' && (name !== 'skipLimit' || form.skips))
  return Object.fromEntries(
    asked.flatMap((name) => {
      const problem = amountProblem(Number(form[name]), RANGES[name])
      return problem === undefined ? [] : [[name, problem]]
    }),
  )
}

function amountProblem(value: number, { min, max, whole }: (typeof RANGES)[AmountName]): string | undefined {
  if (!Number.isFinite(value) || (whole && !Number.isInteger(value))) return 'A whole number'
  if (value < min) return `At least ${min.toLocaleString('en-US')}`
  return value > max ? `At most ${max.toLocaleString('en-US')}` : undefined
}
