/** The few messages of PostgreSQL's protocol 3 that pass between a client and us before its bytes go to the store. Pure. */
import { Fault } from '@postern/protocol/fault.ts'
import { STARTUP_BYTES } from '@postern/protocol/link.ts'

const SSL_REQUEST = 80_877_103
const GSS_REQUEST = 80_877_104
const CANCEL_REQUEST = 80_877_102
const MAJOR = 3
/** A token has 47 characters; more than this is none. */
export const PASSWORD_BYTES = 1_024

/** What a client may say first, and again after it was told whether there is TLS. */
export type FirstMessage =
  | { readonly is: 'ssl' }
  | { readonly is: 'gss' }
  | { readonly is: 'cancel'; readonly key: SessionKey }
  | {
      readonly is: 'startup'
      readonly database: string
      readonly parameters: Readonly<Record<string, string>>
      /** Newer than we are: it must be told before anything else. */
      readonly negotiate: { readonly options: readonly string[] } | undefined
    }

/** By what a client names a session when it wants its statement stopped. */
export interface SessionKey {
  readonly processId: number
  readonly secretKey: number
}

/** Of a message's length field, which counts itself; fails for what cannot be a first message. */
export function firstLength(header: Buffer): number {
  const length = header.readInt32BE(0)
  if (length < 8 || length > STARTUP_BYTES) throw new Fault('WIRE_INVALID')
  return length - 4
}

/** `body` is what stands behind the length. */
export function parseFirst(body: Buffer): FirstMessage {
  const code = body.readInt32BE(0)
  if (code === SSL_REQUEST && body.length === 4) return { is: 'ssl' }
  if (code === GSS_REQUEST && body.length === 4) return { is: 'gss' }
  if (code === CANCEL_REQUEST) {
    if (body.length !== 12) throw new Fault('WIRE_INVALID')
    return { is: 'cancel', key: { processId: body.readInt32BE(4), secretKey: body.readInt32BE(8) } }
  }
  if (code >> 16 !== MAJOR) throw new Fault('WIRE_INVALID', { at: `(version ${code >> 16}.${code & 0xffff})` })
  return startup(body.subarray(4), code & 0xffff)
}

/** Names and values, each ended by NUL; bytes are kept as they came, one a character. */
function startup(pairs: Buffer, minor: number): FirstMessage {
  const words = pairs.toString('latin1').split('\0')
  // name, value, ..., '' (the end of the list), '' (behind the last NUL)
  if (words.pop() !== '' || words.pop() !== '' || words.length % 2 !== 0) throw new Fault('WIRE_INVALID', { at: '(startup packet)' })
  const parameters: Record<string, string> = {}
  const options: string[] = []
  for (let at = 0; at < words.length; at += 2) {
    const [name = '', value = ''] = words.slice(at, at + 2)
    if (name.startsWith('_pq_.')) options.push(name)
    else Object.defineProperty(parameters, name, { value, enumerable: true, configurable: true, writable: true })
  }
  const { user, database, ...rest } = parameters
  if (user === undefined || user === '') throw new Fault('WIRE_INVALID', { at: '(no user)' })
  // As PostgreSQL has it: without a database its name is the user's.
  const name = Buffer.from(database || user, 'latin1').toString()
  return { is: 'startup', database: name, parameters: rest, negotiate: minor > 0 || options.length > 0 ? { options } : undefined }
}

function message(code: string, body: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(5 + body.length)
  bytes[0] = code.charCodeAt(0)
  bytes.writeInt32BE(4 + body.length, 1)
  body.copy(bytes, 5)
  return bytes
}

function int32(...values: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(4 * values.length)
  for (const [index, value] of values.entries()) bytes.writeInt32BE(value, 4 * index)
  return bytes
}

export const ASK_PASSWORD: Buffer = message('R', int32(3))
export const AUTHENTICATED: Buffer = message('R', int32(0))

/** BackendKeyData. */
export function sessionKey({ processId, secretKey }: SessionKey): Buffer {
  return message('K', int32(processId, secretKey))
}

/** NegotiateProtocolVersion: 3.0, and the options that we do not know. */
export function negotiateVersion(options: readonly string[]): Buffer {
  return message('v', Buffer.concat([int32(0, options.length), Buffer.from(options.map((option) => `${option}\0`).join(''), 'latin1')]))
}

/** The length of the password that follows, from the header of its message. */
export function passwordLength(header: Buffer): number {
  const length = header.readInt32BE(1) - 4
  if (header[0] !== 0x70 || length < 1 || length > PASSWORD_BYTES) throw new Fault('TOKEN_MISSING', { at: '(no password came)' })
  return length
}

/** An ErrorResponse that ends the connection. */
export function fatal(fields: { readonly sqlstate: string; readonly message: string; readonly hint: string }): Buffer {
  const { sqlstate, message: text, hint } = fields
  const clean = (value: string) => value.replaceAll('\0', ' ')
  return message('E', Buffer.from(`SFATAL\0VFATAL\0C${sqlstate}\0M${clean(text)}\0H${clean(hint)}\0\0`))
}

/** Whether the bytes end with ReadyForQuery, and in which state: I idle, T in a transaction, E in a failed one; 0 when they do not. */
export function readyState(chunk: Buffer): number {
  const at = chunk.length - 6
  if (at < 0 || chunk[at] !== 0x5a || chunk[at + 4] !== 5 || chunk[at + 3] !== 0 || chunk[at + 2] !== 0 || chunk[at + 1] !== 0) return 0
  const state = chunk[at + 5] ?? 0
  return state === 0x49 || state === 0x54 || state === 0x45 ? state : 0
}
export const IDLE = 0x49
