import { connect as connectSocket, type Socket } from 'node:net'
import type { Clock } from '@postern/base/clock.ts'
import type { Secret } from '@postern/base/log.ts'
import { Fault } from '@postern/protocol/fault.ts'
import pg from 'pg'
import type { PostgresConfig } from './index.ts'
import { cancelRequest } from './messages.ts'
import { faultOfAbort, faultOfConnect } from './server-error.ts'
import { Wire } from './wire.ts'

export interface LoginParts {
  readonly config: PostgresConfig
  readonly password: Secret | undefined
  readonly clock: Clock
  readonly connectMs: number
}

type Tls = false | { rejectUnauthorized: boolean; ca?: string; checkServerIdentity?: () => undefined }

/** What pg keeps to itself and its types do not show. */
interface Inside {
  readonly connection: { readonly stream: Socket }
  readonly processID: number | null
  readonly secretKey: number | null
  getStartupConf(): Record<string, string>
}

export function placeOf(config: PostgresConfig): string {
  return `${config.host}:${config.port}`
}

/** Signs in with pg (TLS, SCRAM), then takes the socket over. */
export class Login {
  readonly #parts: LoginParts
  /** sslmode prefer: what the server said the first time. */
  #withoutTls = false

  constructor(parts: LoginParts) {
    this.#parts = parts
  }

  async open(signal: AbortSignal): Promise<Wire> {
    const { config } = this.#parts
    const prefers = config.sslmode === 'prefer' && !config.host.startsWith('/')
    if (!prefers || this.#withoutTls) return this.#dial(this.#tls(), signal)
    try {
      return await this.#dial({ rejectUnauthorized: false }, signal)
    } catch (cause) {
      const inner = cause instanceof Error ? cause.cause : undefined
      if (!(inner instanceof Error) || !/does not support SSL/.test(inner.message)) throw cause
      this.#withoutTls = true
      return this.#dial(false, signal)
    }
  }

  #tls(): Tls {
    const { sslmode, sslrootcert, host } = this.#parts.config
    const ca = sslrootcert === undefined ? {} : { ca: sslrootcert }
    if (sslmode === 'disable' || sslmode === 'prefer' || host.startsWith('/')) return false
    if (sslmode === 'verify-full') return { rejectUnauthorized: true, ...ca }
    // As libpq has it: `require` with a root certificate checks the chain too.
    if (sslmode === 'verify-ca' || sslrootcert !== undefined) {
      return { rejectUnauthorized: true, ...ca, checkServerIdentity: () => undefined }
    }
    return { rejectUnauthorized: false }
  }

  async #dial(ssl: Tls, signal: AbortSignal): Promise<Wire> {
    if (signal.aborted) throw faultOfAbort(signal)
    const { config, password, connectMs, clock } = this.#parts
    const place = placeOf(config)
    const client = new pg.Client({
      host: config.host,
      port: config.port,
      database: config.database,
      user: config.user,
      // A function: no password from the environment or a .pgpass is ever taken in its place.
      password: () => password?.reveal() ?? '',
      ssl,
      keepAlive: true,
      connectionTimeoutMillis: connectMs,
    })
    const inside = client as unknown as Inside
    inside.getStartupConf = () => ({
      user: config.user,
      database: config.database,
      application_name: 'postern',
      // Only the style: the order of day and month stays the database's.
      DateStyle: 'ISO',
    })
    client.on('error', () => undefined)
    const aborted = () => inside.connection.stream.destroy()
    signal.addEventListener('abort', aborted, { once: true })
    try {
      await client.connect()
    } catch (cause) {
      inside.connection.stream.destroy()
      if (signal.aborted) throw faultOfAbort(signal)
      if (cause instanceof Error && cause.message === 'timeout expired') {
        throw new Fault('STORE_UNREACHABLE', { at: `${place}: no answer in ${connectMs} ms`, cause })
      }
      throw faultOfConnect(cause, place)
    } finally {
      signal.removeEventListener('abort', aborted)
    }
    const socket = inside.connection.stream
    socket.removeAllListeners('data')
    return new Wire(socket, { processId: inside.processID ?? 0, secretKey: inside.secretKey ?? 0, openedAt: clock.monotonic() })
  }

  /** Asks the server to stop what runs on the wire; settles when the server has passed it on, or after the connect time-out. */
  cancel(wire: Wire): Promise<void> {
    const { config, connectMs } = this.#parts
    return new Promise((resolve) => {
      const socket = config.host.startsWith('/')
        ? connectSocket(`${config.host}/.s.PGSQL.${config.port}`)
        : connectSocket(config.port, config.host)
      socket.setTimeout(connectMs, () => socket.destroy())
      socket.on('error', () => undefined)
      socket.on('close', () => resolve())
      socket.on('connect', () => socket.write(cancelRequest(wire.processId, wire.secretKey)))
      socket.on('data', () => undefined)
    })
  }
}
