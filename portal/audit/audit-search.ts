/** The filters of the audit, as they stand in the address. Anything else is left out. */
import type { AuditWanted } from '@postern/client/rights.ts'
import type { AuditOutcome } from '@postern/protocol/api/audit.ts'

type Asked = Readonly<Record<string, unknown>>

export const OUTCOMES: readonly AuditOutcome[] = ['done', 'refused', 'failed']

export interface AuditSearch {
  readonly who?: string | undefined
  readonly action?: string | undefined
  readonly target?: string | undefined
  readonly outcome?: AuditOutcome | undefined
  /** ISO 8601. */
  readonly since?: string | undefined
  readonly until?: string | undefined
  readonly queries?: true | undefined
  /** The record that is open. */
  readonly row?: string | undefined
}

export function readAuditSearch({ who, action, target, outcome, since, until, queries, row }: Asked): AuditSearch {
  return {
    who: text(who, 200),
    action: text(action, 200),
    target: text(target, 500),
    outcome: OUTCOMES.find((one) => one === outcome),
    since: time(since),
    until: time(until),
    queries: queries === true || queries === 'true' ? true : undefined,
    row: text(row, 100),
  }
}

/** What the service is asked for. */
export function wantedOf({ row: _, ...search }: AuditSearch): AuditWanted {
  const said = Object.entries(search).filter(([, value]) => value !== undefined)
  return Object.fromEntries(said) as AuditWanted
}

export const isFiltered = (search: AuditSearch): boolean => Object.keys(wantedOf(search)).length > 0

/** A link: the browser saves the stream as it comes, however long it is. */
export function exportPath(search: AuditSearch, format: 'ndjson' | 'csv'): string {
  const pairs = Object.entries(wantedOf(search)).map(([name, value]) => [name, String(value)])
  return `/v1/audit/export?${new URLSearchParams([...pairs, ['format', format]])}`
}

function text(value: unknown, longest: number): string | undefined {
  const written = typeof value === 'number' ? String(value) : value
  return typeof written === 'string' && written.trim() !== '' && written.length <= longest ? written : undefined
}

function time(value: unknown): string | undefined {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value)) ? new Date(value).toISOString() : undefined
}

const two = (value: number) => String(value).padStart(2, '0')

/** For an input of the kind "datetime-local", which knows no zone: the reader's own. */
export function toLocal(iso: string | undefined): string {
  if (iso === undefined) return ''
  const at = new Date(iso)
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`
}

/** Undefined while it is not a whole time. */
export function fromLocal(local: string): string | undefined {
  const at = local === '' ? Number.NaN : new Date(local).getTime()
  return Number.isNaN(at) ? undefined : new Date(at).toISOString()
}
