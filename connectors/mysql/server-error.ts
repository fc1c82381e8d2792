import { Fault, type FaultCode, type FaultDetails } from '@postern/protocol/fault.ts'

/** An ERR packet of the server. */
export class ServerError extends Error {
  override readonly name = 'ServerError'
  readonly number: number
  /** SQLSTATE. */
  readonly state: string

  constructor(number: number, state: string, message: string) {
    super(message)
    this.number = number
    this.state = state
  }

  static parse(buffer: Buffer, start: number, end: number): ServerError {
    const number = buffer.readUInt16LE(start + 1)
    // "#" and five letters; missing before the sign-in is done.
    if (buffer[start + 3] !== 0x23) return new ServerError(number, '', buffer.toString('utf8', start + 3, end))
    return new ServerError(number, buffer.toString('latin1', start + 4, start + 9), buffer.toString('utf8', start + 9, end))
  }
}

/** What was being done: it decides how the same error is told. */
export type Doing = 'connect' | 'query' | 'copy'

const BUSY = new Set([1040, 1203, 1226, 1205, 1213])
const GONE = new Set([1053, 1077, 1079, 1080, 1927, 2006, 2013, 3032, 3168, 4031])
const CANCELLED = new Set([1317, 1028, 1152])
const LATE = new Set([1969, 3024, 1907])
const DISK = new Set([1021, 1114, 1041])
const READ_ONLY = new Set([1792, 1290, 1836])
const DENIED = new Set([1044, 1045, 1142, 1143, 1227, 1370, 1148, 3948, 4166])
const MISSING = new Set([1146, 1049, 1109])
/** Values that do not fit, and rows that a constraint refuses. */
const ROW = new Set([
  1048, 1062, 1169, 1216, 1217, 1261, 1262, 1263, 1264, 1265, 1292, 1300, 1364, 1366, 1367, 1406, 1411, 1416, 1438, 1451, 1452, 1586, 1690,
  1761, 1762, 3140, 3141, 3156, 3157, 3158, 3819, 4025, 3988, 3854,
])

/** A row is to blame: what is left of the part may still go in. */
export const isRowError = ({ number }: ServerError): boolean => ROW.has(number)

/** On one line, cut: it goes into a fault's text. */
export function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  return line.length > 600 ? `${line.slice(0, 597)}...` : line
}

/** A server's error as a fault. `place` says where, in words: "host:port", "table shop.orders". */
export function faultOfServer(error: ServerError, doing: Doing, place: string): Fault {
  const code = codeOf(error, doing)
  const details: FaultDetails = { errno: error.number, sqlstate: error.state }
  const message = oneLine(code === 'ROW_INVALID' ? withoutValue(error.message) : error.message)
  const at = `${place ? `${place}: ` : ''}${message} [error ${error.number}]`
  // The error of a row holds its value; it goes no further, not into the log either.
  return new Fault(code, { at, details, ...(code === 'ROW_INVALID' ? {} : { cause: error }) })
}

/** "Incorrect integer value: 'x' for column `b`.`t`.`c` at row 7" quotes the value; names of columns and keys stay. */
export function withoutValue(message: string): string {
  return message
    .replace(/^(Incorrect .{1,60}? value): '.*' for (column|function)/s, "$1: '…' for $2")
    .replace(/^Duplicate entry '.*' for key/s, "Duplicate entry '…' for key")
    .replace(/^Truncated incorrect (.{1,60}?) value: '.*'$/s, "Truncated incorrect $1 value: '…'")
    .replace(/^(Invalid \S+ character string): '.*'$/s, "$1: '…'")
    .replace(/(value is out of range in) '.*'$/s, '$1 the expression')
}

function codeOf({ number, state, message }: ServerError, doing: Doing): FaultCode {
  if (BUSY.has(number)) return 'STORE_BUSY'
  if (LATE.has(number)) return 'TIMED_OUT'
  if (CANCELLED.has(number)) return 'CANCELLED'
  if (GONE.has(number) || state.startsWith('08')) return doing === 'connect' ? 'STORE_UNREACHABLE' : 'STORE_LOST'
  if (doing === 'connect') return 'STORE_DENIED'
  if (DISK.has(number)) return 'DISK_FULL'
  if (doing === 'query') return READ_ONLY.has(number) && /read.only/i.test(message) ? 'QUERY_READ_ONLY' : 'QUERY_FAILED'
  if (DENIED.has(number) || READ_ONLY.has(number)) return 'NOT_ALLOWED'
  if (MISSING.has(number)) return 'TABLE_MISSING'
  if (number === 1054) return 'COLUMN_MISMATCH'
  return ROW.has(number) ? 'ROW_INVALID' : 'QUERY_FAILED'
}

/** Anything that failed while signing in. `place` is host:port. */
export function faultOfConnect(thrown: unknown, place: string): Fault {
  if (thrown instanceof Fault) return thrown
  const error = thrown as { code?: unknown; errno?: unknown; sqlState?: unknown; message?: unknown }
  const code = typeof error.code === 'string' ? error.code : ''
  const message = typeof error.message === 'string' ? oneLine(error.message) : ''
  if (typeof error.errno === 'number' && error.errno >= 1_000 && error.errno < 2_000 + 5_000) {
    return faultOfServer(new ServerError(error.errno, String(error.sqlState ?? ''), message), 'connect', place)
  }
  if (code.startsWith('AUTH_SWITCH')) return new Fault('STORE_DENIED', { at: `${place}: ${message}`, cause: thrown })
  const net = /^E[A-Z_]+$/.test(code) && code !== 'ETIMEDOUT'
  return new Fault('STORE_UNREACHABLE', { at: `${place}: ${net ? code : message}`, cause: thrown })
}
