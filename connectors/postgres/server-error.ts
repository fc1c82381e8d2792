import { Fault, type FaultCode, type FaultDetails } from '@postern/protocol/fault.ts'

export { faultOfAbort } from '../abort.ts'

/** An ErrorResponse of the server. */
export class ServerError extends Error {
  override readonly name = 'ServerError'
  readonly severity: string
  /** SQLSTATE. */
  readonly code: string
  readonly detail: string
  readonly hint: string
  /** Of the statement, in characters from 1; 0 when the server named none. */
  readonly position: number
  /** CONTEXT: "COPY t, line 3, column n". */
  readonly where: string
  readonly constraint: string
  readonly column: string

  constructor(fields: Readonly<Record<string, string>>) {
    super(fields['M'] ?? 'unknown error')
    this.severity = fields['V'] ?? fields['S'] ?? 'ERROR'
    this.code = fields['C'] ?? 'XX000'
    this.detail = fields['D'] ?? ''
    this.hint = fields['H'] ?? ''
    this.position = Number(fields['P'] ?? 0)
    this.where = fields['W'] ?? ''
    this.constraint = fields['n'] ?? ''
    this.column = fields['c'] ?? ''
  }

  static parse(buffer: Buffer, start: number, end: number): ServerError {
    const fields: Record<string, string> = {}
    let at = start
    while (at < end && buffer[at] !== 0) {
      const stop = buffer.indexOf(0, at + 1)
      fields[String.fromCharCode(buffer[at] ?? 0)] = buffer.toString('utf8', at + 1, stop)
      at = stop + 1
    }
    return new ServerError(fields)
  }
}

/** What was being done: it decides how the same SQLSTATE is told. */
export type Doing = 'connect' | 'query' | 'copy'

const ROW_STATES = new Set([
  '22P02',
  '22P03',
  '22P04',
  '22001',
  '22003',
  '22007',
  '22008',
  '22021',
  '23502',
  '23503',
  '23505',
  '23514',
  '23P01',
])

/** The server's message on one line, cut: it goes into a fault's text. */
function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  return line.length > 600 ? `${line.slice(0, 597)}...` : line
}

/** A server's error as a fault. `place` says where, in words: "host:port", "table public.orders". */
export function faultOfServer(error: ServerError, doing: Doing, place: string): Fault {
  const code = codeOfState(error, doing)
  const details: Record<string, string | number> = { sqlstate: error.code }
  if (error.position > 0) details['position'] = error.position
  const position = error.position > 0 && doing === 'query' ? `, at character ${error.position}` : ''
  const inRow = code === 'ROW_INVALID' && error.where ? ` (${placeInCopy(error)})` : ''
  const row = code === 'ROW_INVALID' ? placeOfRow(error) : undefined
  if (row?.line) details['line'] = row.line
  if (row?.column) details['column'] = row.column
  const hint = error.hint && doing === 'query' ? ` Hint: ${oneLine(error.hint)}` : ''
  const message = oneLine(code === 'ROW_INVALID' ? withoutValue(error) : error.message)
  const at = `${place ? `${place}: ` : ''}${message}${inRow} [SQLSTATE ${error.code}${position}]${hint}`
  // The error of a row holds its value; it goes no further, not into the log either.
  return new Fault(code, { at, details: details satisfies FaultDetails, ...(code === 'ROW_INVALID' ? {} : { cause: error }) })
}

/** Data exceptions quote the value: `invalid input syntax for type integer: "…"`. Those of constraints quote names only. */
function withoutValue(error: ServerError): string {
  return error.code.startsWith('22') ? error.message.replace(/".*"/s, '"…"') : error.message
}

function codeOfState(error: ServerError, doing: Doing): FaultCode {
  const state = error.code
  if (state === '53300') return 'STORE_BUSY'
  if (state === '53100') return 'DISK_FULL'
  if (state === '57014') return /timeout/i.test(error.message) ? 'TIMED_OUT' : 'CANCELLED'
  if (state === '57P03') return 'STORE_UNREACHABLE'
  // Said of the statement, not of our connection: too few parameters (08P01), or another server that a function of theirs asks.
  if (state.startsWith('08') && doing === 'query' && error.severity === 'ERROR') return 'QUERY_FAILED'
  if (state.startsWith('08') || state === '57P01' || state === '57P02' || state === '57P05' || state === '25P03') {
    return doing === 'connect' ? 'STORE_UNREACHABLE' : 'STORE_LOST'
  }
  if (doing === 'connect') return 'STORE_DENIED'
  if (state.startsWith('28')) return 'STORE_DENIED'
  if (doing === 'query') return state === '25006' ? 'QUERY_READ_ONLY' : 'QUERY_FAILED'
  // A standby is read-only too.
  if (state === '42501' || state === '25006') return 'NOT_ALLOWED'
  if (state === '42P01' || state === '3F000') return 'TABLE_MISSING'
  if (state === '42703') return 'COLUMN_MISMATCH'
  if (ROW_STATES.has(state)) return 'ROW_INVALID'
  return 'QUERY_FAILED'
}

/** In the rows of one COPY: the line, from 1 (of CSV, a row may have several), and the column. */
export function placeOfRow(error: ServerError): { readonly line: number | null; readonly column: string | null } {
  const copy = error.where.split('\n').find((line) => line.startsWith('COPY ')) ?? ''
  const found = /, line (\d+)(?:, column (.*?))?(?:: |$)/.exec(copy)
  return { line: found ? Number(found[1]) : null, column: found?.[2] ?? (error.column || null) }
}

/** `COPY t, line 3, column n: "secret"` → `line 3, column n`: the value is a row's and must not be shown. */
function placeInCopy(error: ServerError): string {
  const { line, column } = placeOfRow(error)
  return oneLine([line === null ? '' : `line ${line}`, column === null ? '' : `column ${column}`].filter(Boolean).join(', '))
}

const NET_STATES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'EACCES',
  'ECONNRESET',
  'EPIPE',
])

/** Anything that failed while signing in. `place` is host:port. */
export function faultOfConnect(thrown: unknown, place: string): Fault {
  if (thrown instanceof Fault) return thrown
  const error = thrown as { code?: unknown; message?: unknown; severity?: unknown }
  const code = typeof error.code === 'string' ? error.code : ''
  const message = typeof error.message === 'string' ? error.message : ''
  if (typeof error.severity === 'string') {
    return faultOfServer(new ServerError({ M: message, C: code, S: error.severity }), 'connect', place)
  }
  if (/^SASL|password must be/i.test(message)) return new Fault('STORE_DENIED', { at: `${place}: ${oneLine(message)}`, cause: thrown })
  const remedy = remedyOfTls(code, message)
  if (remedy) return new Fault('STORE_UNREACHABLE', { at: `${place}: ${oneLine(message)}`, remedy, cause: thrown })
  if (NET_STATES.has(code)) return new Fault('STORE_UNREACHABLE', { at: `${place}: ${code}`, cause: thrown })
  return new Fault('STORE_UNREACHABLE', { at: `${place}: ${oneLine(message)}`, cause: thrown })
}

/** OpenSSL's names for a certificate that nobody vouches for, or that is not valid (now). */
const CERTIFICATE_STATE =
  /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_\w+|CERT_\w+|CRL_\w+|INVALID_CA|INVALID_PURPOSE)$/

/** What to do where no TLS came about; undefined for anything else. */
function remedyOfTls(code: string, message: string): string | undefined {
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') return "Renew the server's certificate, and check the node's clock."
  if (CERTIFICATE_STATE.test(code)) return "Set sslrootcert of the store to the certificate of the authority that signed the server's."
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return "Set the store's host to a name in the server's certificate, or sslmode=verify-ca, which does not look at names."
  if (/does not support SSL/.test(message)) return "Switch TLS on in the server, or set the store's sslmode to prefer or disable."
  return undefined
}
