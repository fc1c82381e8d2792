/** What the form of a copy asks, and the copies that come of it. Pure. */
import type { CopyRequest } from '@postern/protocol/api/runs.ts'
import type { StoreKindView } from '@postern/protocol/api/store-kinds.ts'
import { type SettingField, settingsOf, type Typed, typedOf } from '../stores/store-form.ts'

type Mode = NonNullable<CopyRequest['mode']>
type Verify = NonNullable<CopyRequest['verify']>
type Guarantee = NonNullable<CopyRequest['guarantee']>
/** Empty: left out. */
export type Amount = number | ''

export interface CopyForm {
  readonly source: string
  readonly takes: 'names' | 'query'
  /** Tables, or paths and globs of files; a copy for each. */
  readonly from: readonly string[]
  readonly query: string
  readonly sink: string
  /** Holds `{name}` where several are copied. */
  readonly to: string
  readonly mode: Mode
  readonly key: readonly string[]
  /** Columns whose values are folders. */
  readonly partitionBy: readonly string[]
  readonly watermark: string
  readonly verify: Verify
  readonly guarantee: Guarantee
  readonly skips: boolean
  readonly skipLimit: Amount
  readonly rejectStore: string
  readonly rejectPath: string
  readonly parts: Amount
  readonly splitBy: string
  readonly read: Typed
  readonly write: Typed
  readonly parallel: Amount
  readonly rowsPerSecond: Amount
  readonly megabytesPerSecond: Amount
  readonly timeoutMinutes: Amount
  readonly retries: Amount
  readonly node: string
}

export const NAME_MARK = '{name}'
const SKIPPED = 1_000
const RETRIES = 3

export const EMPTY: CopyForm = {
  ...{ source: '', takes: 'names', from: [], query: '', sink: '', to: '', mode: 'append', key: [], partitionBy: [], watermark: '' },
  ...{ verify: 'counts', guarantee: 'exactly-once', skips: false, skipLimit: SKIPPED, rejectStore: '', rejectPath: '' },
  ...{ parts: '', splitBy: '', read: {}, write: {}, parallel: '', rowsPerSecond: '', megabytesPerSecond: '', timeoutMinutes: '' },
  ...{ retries: RETRIES, node: '' },
}

export interface CopyKinds {
  readonly source: StoreKindView | undefined
  readonly sink: StoreKindView | undefined
}

/** Files are named by paths and hold no keys. */
export const holdsFiles = (kind: StoreKindView | undefined): boolean => kind !== undefined && !kind.can.sinkModes.includes('upsert')

/** Those settings of a kind that one copy may say for itself. */
export const copyFields = (kind: StoreKindView | undefined): readonly SettingField[] =>
  Object.entries(kind?.config.properties ?? {})
    .filter(([, schema]) => schema.copy === true)
    .map(([name, schema]) => ({ name, schema, required: false }))

/** One request a table or path, or one for the query. */
export function requestsOf(form: CopyForm, kinds: CopyKinds): readonly CopyRequest[] {
  const froms = form.takes === 'query' ? [inBrackets(form.query)] : form.from
  return froms.map((from) => ({ ...optionsOf(form, kinds), from, to: form.to.trim().replaceAll(NAME_MARK, nameOf(from)) }))
}

function optionsOf(form: CopyForm, { source, sink }: CopyKinds): Omit<CopyRequest, 'from' | 'to'> {
  const text = (value: string) => (value.trim() === '' ? undefined : value.trim())
  const amount = (value: Amount, times = 1) => (value === '' ? undefined : Math.round(value * times))
  const [read, write] = [settingsOf(copyFields(source), form.read), settingsOf(copyFields(sink), form.write)]
  return withoutEmpty({
    source: form.source,
    sink: form.sink,
    mode: form.mode,
    key: form.mode === 'upsert' ? [...form.key] : undefined,
    partitionBy: form.partitionBy.length > 0 ? [...form.partitionBy] : undefined,
    watermark: text(form.watermark),
    verify: form.verify,
    guarantee: form.guarantee,
    skipIncompatibleRows: form.skips ? skipOf(form) : undefined,
    parts: amount(form.parts),
    splitBy: text(form.splitBy),
    read: Object.keys(read).length > 0 ? read : undefined,
    write: Object.keys(write).length > 0 ? write : undefined,
    parallel: amount(form.parallel),
    rowsPerSecond: amount(form.rowsPerSecond),
    bytesPerSecond: amount(form.megabytesPerSecond, 1e6),
    timeoutMs: amount(form.timeoutMinutes, 60_000),
    retries: amount(form.retries),
    node: text(form.node),
  })
}

function skipOf({ skipLimit, rejectStore, rejectPath }: CopyForm): CopyRequest['skipIncompatibleRows'] {
  const limit = skipLimit === '' ? SKIPPED : skipLimit
  return rejectStore === '' ? { limit } : { limit, rejects: { store: rejectStore, path: rejectPath.trim() } }
}

type Given<Parts> = { [Name in keyof Parts as undefined extends Parts[Name] ? never : Name]: Parts[Name] } & {
  [Name in keyof Parts as undefined extends Parts[Name] ? Name : never]?: Exclude<Parts[Name], undefined>
}

const withoutEmpty = <Parts extends object>(parts: Parts): Given<Parts> =>
  Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as Given<Parts>

/** A statement is told from a table by its brackets; a semicolon at its end would not be within one. */
export function inBrackets(statement: string): string {
  const text = statement.trim().replace(/;\s*$/, '').trim()
  return isInBrackets(text) ? text : `(${text})`
}

/** Whether the first bracket is closed by the last character: "(a) union (b)" is not. */
function isInBrackets(text: string): boolean {
  let depth = 0
  const outside = text.replace(/'[^']*'|"[^"]*"/g, (quoted) => '_'.repeat(quoted.length))
  for (let at = 0; at < outside.length; at += 1) {
    if (outside[at] === '(') depth += 1
    if (outside[at] === ')') depth -= 1
    if (depth === 0) return at > 0 && at === outside.length - 1
  }
  return false
}

/** "sales.orders" and "out/orders.csv.gz" are "orders"; of a glob it is the folder. */
export function nameOf(from: string): string {
  const path = from.replace(/\/+$/, '')
  if (!path.includes('/') && !/\.(?:csv|tsv|ndjson|json|parquet|gz|zst)$/i.test(path)) {
    return (/(?:^|\.)("(?:[^"]|"")+"|`(?:[^`]|``)+`|[^."`]+)$/.exec(path)?.[1] ?? path).replace(/^["`]|["`]$/g, '')
  }
  const named = path.split('/').findLast((part) => !/[*?[{]/.test(part)) ?? 'files'
  return named.replace(/(?:\.[A-Za-z0-9]+){1,2}$/, '') || named
}

/** The copy of a run as it would be typed again. */
export function formOf(copy: CopyRequest): CopyForm {
  const query = /^\(([\s\S]*)\)$/.exec(copy.from)?.[1]
  const { skipIncompatibleRows: skip } = copy
  return {
    ...EMPTY,
    ...{ source: copy.source, sink: copy.sink, to: copy.to, key: copy.key ?? [], mode: copy.mode ?? EMPTY.mode },
    ...(query === undefined ? { from: [copy.from] } : { takes: 'query' as const, query: query.trim() }),
    partitionBy: copy.partitionBy ?? [],
    ...{ watermark: copy.watermark ?? '', verify: copy.verify ?? EMPTY.verify, guarantee: copy.guarantee ?? EMPTY.guarantee },
    ...{ skips: skip !== undefined, skipLimit: skip?.limit ?? SKIPPED },
    ...{ rejectStore: skip?.rejects?.store ?? '', rejectPath: skip?.rejects?.path ?? '' },
    ...{ parts: copy.parts ?? '', splitBy: copy.splitBy ?? '', read: typedOf(copy.read ?? {}), write: typedOf(copy.write ?? {}) },
    ...{ parallel: copy.parallel ?? '', rowsPerSecond: copy.rowsPerSecond ?? '', node: copy.node ?? '' },
    megabytesPerSecond: copy.bytesPerSecond === undefined ? '' : copy.bytesPerSecond / 1e6,
    timeoutMinutes: copy.timeoutMs === undefined ? '' : copy.timeoutMs / 60_000,
    retries: copy.retries ?? RETRIES,
  }
}
