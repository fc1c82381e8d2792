/** Frontend messages of PostgreSQL's protocol 3, as bytes ready to be sent: many in one write. */

const encoder = new TextEncoder()

/** What the backend sends, by its first byte. */
export const FRAME = {
  parseComplete: 0x31,
  bindComplete: 0x32,
  commandComplete: 0x43,
  dataRow: 0x44,
  error: 0x45,
  copyIn: 0x47,
  copyOut: 0x48,
  emptyQuery: 0x49,
  notice: 0x4e,
  parameterStatus: 0x53,
  rowDescription: 0x54,
  copyBoth: 0x57,
  ready: 0x5a,
  copyDone: 0x63,
  copyData: 0x64,
  noData: 0x6e,
  portalSuspended: 0x73,
} as const

/** Outside of a transaction, as `ready` says it. */
export const IDLE = 0x49

export type Param = string | number | boolean | null

export const SYNC: Buffer = Buffer.from([0x53, 0, 0, 0, 4])
export const FLUSH: Buffer = Buffer.from([0x48, 0, 0, 0, 4])
export const TERMINATE: Buffer = Buffer.from([0x58, 0, 0, 0, 4])
export const COPY_DONE: Buffer = Buffer.from([0x63, 0, 0, 0, 4])
const DESCRIBE_PORTAL = message('D', Buffer.from('P\0'))
const DESCRIBE_STATEMENT = message('D', Buffer.from('S\0'))
/** No parameters, all results as text, unnamed portal of the unnamed statement. */
const BIND_NOTHING = message('B', Buffer.alloc(8))
const EXECUTE_ALL = message('E', Buffer.alloc(5))

function message(code: string, body: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(5 + body.length)
  bytes[0] = code.charCodeAt(0)
  bytes.writeInt32BE(4 + body.length, 1)
  bytes.set(body, 5)
  return bytes
}

/** Names are ours, and ASCII; none is the unnamed statement. */
function parse(sql: string, name = ''): Buffer {
  const text = encoder.encode(sql)
  const head = 5 + name.length
  const bytes = Buffer.allocUnsafe(head + 1 + text.length + 1 + 2)
  bytes[0] = 0x50
  bytes.writeInt32BE(bytes.length - 1, 1)
  bytes.write(name, 5, 'latin1')
  bytes[head] = 0
  bytes.set(text, head + 1)
  bytes[head + 1 + text.length] = 0
  bytes.writeInt16BE(0, head + 2 + text.length)
  return bytes
}

/** Which columns come in PostgreSQL's binary form, 1, or as text, 0. */
export type ResultFormats = readonly (0 | 1)[]
const ALL_TEXT: ResultFormats = []

/**
 * Values travel as text beside the statement; the server infers their types. They are never part of the SQL.
 */
function bind(params: readonly Param[], name = '', formats = ALL_TEXT): Buffer {
  if (params.length === 0 && name === '' && formats.length === 0) return BIND_NOTHING
  const values = params.map((value) => (value === null ? null : String(value)))
  const sizes = values.map((value) => (value === null ? 0 : Buffer.byteLength(value)))
  const size = sizes.reduce((sum, bytes) => sum + 4 + bytes, 0)
  const body = Buffer.allocUnsafe(1 + name.length + 1 + 2 + 2 + size + 2 + 2 * formats.length)
  body[0] = 0
  body.write(name, 1, 'latin1')
  let at = 1 + name.length
  body[at] = 0
  at = body.writeInt16BE(0, at + 1)
  at = body.writeUInt16BE(values.length, at)
  for (const [i, value] of values.entries()) {
    at = body.writeInt32BE(value === null ? -1 : (sizes[i] ?? 0), at)
    if (value !== null) at += body.write(value, at)
  }
  at = body.writeUInt16BE(formats.length, at)
  for (const format of formats) at = body.writeInt16BE(format, at)
  return message('B', body)
}

/** The statement, kept by the server under a name; no Sync. */
export function prepare(name: string, sql: string): Buffer {
  return parse(sql, name)
}

/** Runs what was prepared, under no name what was parsed last; no Sync. */
export function runNamed(name: string, options: Omit<StatementOptions, 'flush'> & { readonly formats?: ResultFormats }): Buffer {
  const { params = [], describe = false, maxRows = 0, formats = ALL_TEXT } = options
  const execute = maxRows === 0 ? EXECUTE_ALL : executeSome(maxRows)
  return Buffer.concat(describe ? [bind(params, name, formats), DESCRIBE_PORTAL, execute] : [bind(params, name, formats), execute])
}

export function closeStatement(name: string): Buffer {
  return message('C', Buffer.from(`S${name}\0`))
}

function execute(maxRows: number): Buffer {
  const body = Buffer.allocUnsafe(5)
  body[0] = 0
  body.writeInt32BE(maxRows, 1)
  return message('E', body)
}

const executeSome = (maxRows: number): Buffer => execute(Math.min(maxRows, 0x7fffffff))

export interface StatementOptions {
  readonly params?: readonly Param[]
  readonly describe?: boolean
  /** 0 = all. */
  readonly maxRows?: number
  /** The server answers at once, although no Sync follows yet. */
  readonly flush?: boolean
}

/** One statement, prepared, bound and executed; no Sync. */
export function statement(sql: string, options: StatementOptions = {}): Buffer {
  const { params = [], describe = false, maxRows = 0, flush = false } = options
  return Buffer.concat([
    parse(sql),
    bind(params),
    ...(describe ? [DESCRIBE_PORTAL] : []),
    maxRows === 0 ? EXECUTE_ALL : executeSome(maxRows),
    ...(flush ? [FLUSH] : []),
  ])
}

/** Only proves that the text is one valid statement, and says what it returns. If it is not, the server skips all up to Sync. */
export function proveStatement(sql: string): Buffer {
  return Buffer.concat([parse(sql), DESCRIBE_STATEMENT])
}

export function copyFail(reason: string): Buffer {
  return message('f', Buffer.from(`${reason.replaceAll('\0', ' ')}\0`))
}

export function copyDataHeader(length: number): Buffer {
  const header = Buffer.allocUnsafe(5)
  header[0] = FRAME.copyData
  header.writeInt32BE(4 + length, 1)
  return header
}

/** The first message, in protocol 3.0. Bytes are kept as they came: latin1 is one byte a character. */
export function startup(parameters: Readonly<Record<string, string>>): Buffer {
  const text = Object.entries(parameters)
    .map(([name, value]) => `${name}\0${value}\0`)
    .join('')
  const bytes = Buffer.alloc(8 + text.length + 1)
  bytes.writeInt32BE(bytes.length, 0)
  bytes.writeInt32BE(196_608, 4)
  bytes.write(text, 8, 'latin1')
  return bytes
}

export function parameterStatus(name: string, value: string): Buffer {
  return message('S', Buffer.from(`${name}\0${value}\0`))
}

/** ReadyForQuery, in no transaction. */
export const READY: Buffer = message('Z', Buffer.from('I'))

/** Sent on a connection of its own, instead of a sign-in. */
export function cancelRequest(processId: number, secretKey: number): Buffer {
  const bytes = Buffer.allocUnsafe(16)
  bytes.writeInt32BE(16, 0)
  bytes.writeInt32BE(80_877_102, 4)
  bytes.writeInt32BE(processId, 8)
  bytes.writeInt32BE(secretKey, 12)
  return bytes
}
