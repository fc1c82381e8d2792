import { Fault } from '@postern/protocol/fault.ts'
import { duckFault } from './faults.ts'
import { oneLine } from './query-statement.ts'

/** What DuckDB says of a user's statement, in one line and without values of rows. */
export function queryFault(cause: unknown): Fault {
  if (cause instanceof Fault) return cause
  const text = cause instanceof Error ? cause.message : String(cause)
  const first = oneLine(text.split('\n', 1)[0] ?? '')
  if (/file system operations are disabled|Permission Error/i.test(text)) return new Fault('PATH_OUTSIDE', { at: first, cause })
  if (/^Out of Memory/i.test(text)) {
    return new Fault('QUERY_FAILED', { at: first, cause, remedy: 'Raise memoryMb of the store, or ask for less at once.' })
  }
  const known = duckFault(cause, { at: '' })
  if (known.code === 'DISK_FULL' || known.code === 'FILE_DENIED' || known.code === 'FILE_MISSING') return known
  // "Invalid Input" is said of a broken file, and also of what the statement itself computes.
  const ofRow = /CSV Error on Line/.test(text) || known.remedy.startsWith('The file is broken')
  if (known.code === 'ROW_INVALID' && ofRow) return known
  const shown = /^(?:Conversion|Invalid Input|Out of Range) Error/.test(first) ? first.replaceAll(/"[^"]*"|'[^']*'/g, 'a value') : first
  return new Fault(/^(?:FATAL|INTERNAL) Error/.test(first) ? 'INTERNAL' : 'QUERY_FAILED', { at: shown, cause })
}
