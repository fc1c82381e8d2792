import { basename } from 'node:path'
import { Fault, type FaultCode } from '@postern/protocol/fault.ts'

const BY_ERRNO: Readonly<Record<string, FaultCode>> = {
  ENOSPC: 'DISK_FULL',
  EDQUOT: 'DISK_FULL',
  EFBIG: 'DISK_FULL',
  EACCES: 'FILE_DENIED',
  EPERM: 'FILE_DENIED',
  EROFS: 'FILE_DENIED',
  ENOENT: 'FILE_MISSING',
  ENOTDIR: 'FILE_MISSING',
  EEXIST: 'FILE_EXISTS',
  EIO: 'STORE_LOST',
  ESTALE: 'STORE_LOST',
  EMFILE: 'STORE_BUSY',
  ENFILE: 'STORE_BUSY',
}

export function errnoOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return typeof code === 'string' ? code : ''
}

/** Any failure as a fault: of the file system by its code, aborts and faults as what they are. */
export function fileFault(cause: unknown, at: string): Fault {
  if (cause instanceof Fault) return cause
  if (errnoOf(cause) === 'ERR_STREAM_PREMATURE_CLOSE') {
    return new Fault('STORE_LOST', { at: `${at}: the rows ended before the source said so.`, cause })
  }
  const code = BY_ERRNO[errnoOf(cause)]
  return code ? new Fault(code, { at, cause }) : Fault.from(cause)
}

export function abortFault(signal: AbortSignal): Fault {
  const { reason } = signal
  if (reason instanceof Fault) return reason
  return new Fault(reason instanceof Error && reason.name === 'TimeoutError' ? 'TIMED_OUT' : 'CANCELLED', { cause: reason })
}

export function stopIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw abortFault(signal)
}

/** What a statement is about, for a person. */
export interface Place {
  readonly at: string
  readonly columns?: readonly { readonly name: string }[]
}

/**
 * DuckDB's messages run over many lines and quote rows; a fault names file, line and column in one line, never the row.
 * `at` is put before what a message itself does not say.
 */
export function duckFault(cause: unknown, { at, columns = [] }: Place): Fault {
  const text = cause instanceof Error ? cause.message : String(cause)
  const placed = (where: string) => oneLine(at && !where.startsWith('file ') ? `${at}: ${where}` : where)
  const fault = (code: FaultCode, where: string, remedy?: string) =>
    new Fault(code, { at: placed(where), cause, ...(remedy ? { remedy } : {}) })
  if (/No space left on device|Could not write all bytes|File too large|Disk quota exceeded/i.test(text)) return fault('DISK_FULL', '')
  const row = brokenRow(text, columns)
  if (row) {
    const { file, line, column, wrong } = row
    const place = `${file === null ? `row ${line}` : `file ${file}, line ${line}`}${column === null ? '' : `, column ${column}`}`
    const details = { line, ...(column !== null && { column }) }
    return new Fault('ROW_INVALID', { at: placed(`${place}: ${wrong}`), details, cause })
  }
  if (/^Binder Error/.test(text)) return fault('COLUMN_MISMATCH', firstLine(text))
  if (/Permission denied/i.test(text)) return fault('FILE_DENIED', firstLine(text))
  if (/No files found|No such file/i.test(text)) return fault('FILE_MISSING', firstLine(text))
  if (/^Out of Memory/i.test(text)) {
    return fault('STORE_BUSY', firstLine(text), 'Raise memoryMb of the store, or lower the number of jobs at a time.')
  }
  if (
    /magic bytes|not a parquet file|too small to be a Parquet|thrift|Input is not a (?:GZIP|ZSTD)|Failed to decode gzip|ZSTD_|zstd/i.test(
      text,
    )
  ) {
    return fault('ROW_INVALID', firstLine(text), 'The file is broken or not of the format that its name says.')
  }
  // What stands in quotes may be a value.
  if (/^(?:Conversion|Invalid Input|Out of Range) Error/.test(text))
    return fault('ROW_INVALID', firstLine(text).replaceAll(/"[^"]*"/g, 'a value'))
  return fault('INTERNAL', firstLine(text))
}

export interface BrokenRow {
  /** Null: it came by a pipe, whose lines are the rows of a part. */
  readonly file: string | null
  readonly line: number
  readonly column: string | null
  readonly wrong: string
}

/** Where a row cannot be read and why, from what DuckDB says; undefined when it is not about a row. */
export function brokenRow(text: string, columns: Place['columns'] = []): BrokenRow | undefined {
  const path = /\bfile = (.*)/.exec(text)?.[1] ?? /in file "([^"]*)"/.exec(text)?.[1]
  const line = /CSV Error on Line: (\d+)/.exec(text)?.[1]
  if (!line) return undefined
  const name = path ? basename(path.trim()) : ''
  const row = { file: name === '' || /^(?:pipe|spool)-/.test(name) ? null : name, line: Number(line), column: null }
  const converted = /Error when converting column "(.*?)"\..*to '([^']*)'/.exec(text)
  if (converted) return { ...row, column: nameOf(converted[1] ?? '', columns), wrong: `the value is not of type ${converted[2]}.` }
  const counted = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(text)
  if (counted) {
    const column = String(Math.min(Number(counted[1]), Number(counted[2])) + 1)
    return { ...row, column, wrong: `${counted[1]} columns expected, ${counted[2]} found.` }
  }
  if (/unterminated quote/i.test(text)) return { ...row, wrong: 'a quoted value has no end.' }
  if (/unicode/i.test(text)) return { ...row, wrong: 'the text is not UTF-8.' }
  if (/maximum line size/i.test(text)) return { ...row, wrong: 'the line is longer than allowed.' }
  return { ...row, wrong: /^(?!.*(?:CSV Error|Original Line)).*\S.*$/m.exec(text)?.[0] ?? 'it cannot be parsed' }
}

/** The columns of a statement are named c0, c1, … */
function nameOf(column: string, columns: Place['columns'] = []): string {
  const place = /^c(\d+)$/.exec(column)?.[1]
  return (place === undefined ? undefined : columns[Number(place)]?.name) ?? column
}

function firstLine(text: string): string {
  return oneLine(text.split('\n', 1)[0] ?? '').slice(0, 400)
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}
