import type { AuditFormat } from '@postern/protocol/api/audit.ts'
import type { AuditRow } from './audit-repository.ts'

const COLUMNS = ['at', 'who', 'whoId', 'action', 'target', 'ip', 'outcome', 'id', 'details'] as const

export const CONTENT_TYPES = { ndjson: 'application/x-ndjson', csv: 'text/csv; charset=utf-8' } as const satisfies Record<
  AuditFormat,
  string
>

export const headOf = (format: AuditFormat): string => (format === 'csv' ? `${COLUMNS.join(',')}\r\n` : '')

/** One line, with its end. */
export function lineOf({ key: _, ...row }: AuditRow, format: AuditFormat): string {
  if (format === 'ndjson') return `${JSON.stringify(row)}\n`
  return `${COLUMNS.map((column) => field(column === 'details' ? JSON.stringify(row.details) : (row[column] ?? ''))).join(',')}\r\n`
}

/** RFC 4180; and what a spreadsheet would take for a formula becomes text: names are chosen by those who are audited. */
function field(value: string | number): string {
  const text = String(value)
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
