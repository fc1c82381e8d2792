import type { Socket } from 'node:net'
import type { Clock } from '@postern/base/clock.ts'
import type { HostGuard } from '@postern/base/host-guard.ts'
import type { Secret } from '@postern/base/log.ts'
import { Fault } from '@postern/protocol/fault.ts'
import mysql from 'mysql2'
import { faultOfAbort } from '../abort.ts'
import type { MysqlConfig } from './index.ts'
import { faultOfConnect } from './server-error.ts'
import { SESSION_SQL, StatementRun } from './statement-run.ts'
import { Wire } from './wire.ts'

export interface LoginParts {
  readonly config: MysqlConfig
  readonly password: Secret | undefined
  readonly hosts: HostGuard
  readonly clock: Clock
  readonly connectMs: number
}

/** What mysql2 keeps to itself and its types do not show. */
interface Inside {
  readonly stream: Socket
  readonly connectionId: number
  readonly _mariadbExtendedMetadata: boolean
  readonly _handshakePacket: { readonly serverVersion: string }
}

export function placeOf(config: MysqlConfig): string {
  return `${config.host}:${config.port}`
}

/**
 * Left out of what mysql2 asks for: attributes of queries, which would change how a statement is sent, and lengths of the state
 * of a session in each answer.
 */
const FLAGS = ['-CLIENT_QUERY_ATTRIBUTES', '-SESSION_TRACK', '-FOUND_ROWS', '-IGNORE_SPACE', '-ODBC', 'LOCAL_FILES']

/** Signs in with mysql2 (TLS, the ways to prove a password), then takes the socket over. */
export class Login {
  readonly #parts: LoginParts

  constructor(parts: LoginParts) {
    this.#parts = parts
  }

  async open(signal: AbortSignal): Promise<Wire> {
    const wire = await this.#dial(signal)
    try {
      await StatementRun.one(wire, SESSION_SQL)
    } catch (cause) {
      wire.destroy()
      throw faultOfConnect(cause, placeOf(this.#parts.config))
    }
    return wire
  }

  async #dial(signal: AbortSignal): Promise<Wire> {
    if (signal.aborted) throw faultOfAbort(signal)
    const { config, clock, connectMs } = this.#parts
    const place = placeOf(config)
    const connection = this.#connection()
    const inside = connection as unknown as Inside
    const aborted = () => inside.stream.destroy()
    signal.addEventListener('abort', aborted, { once: true })
    try {
      await new Promise<void>((resolve, reject) => {
        connection.once('connect', () => resolve())
        connection.once('error', reject)
        inside.stream.once('close', () => reject(new Error('the server closed the connection')))
      })
    } catch (cause) {
      inside.stream.destroy()
      if (signal.aborted) throw faultOfAbort(signal)
      if (cause instanceof Error && (cause as { code?: unknown }).code === 'ETIMEDOUT') {
        throw new Fault('STORE_UNREACHABLE', { at: `${place}: no answer in ${connectMs} ms`, cause })
      }
      throw faultOfConnect(cause, place)
    } finally {
      signal.removeEventListener('abort', aborted)
      connection.on('error', () => undefined)
    }
    const { stream, connectionId } = inside
    stream.removeAllListeners('data')
    return new Wire(stream, {
      id: connectionId,
      server: inside._handshakePacket.serverVersion,
      extended: inside._mariadbExtendedMetadata === true,
      openedAt: clock.monotonic(),
    })
  }

  #connection(): mysql.Connection {
    const { config, password, hosts, connectMs } = this.#parts
    return mysql.createConnection({
      stream: () => hosts.connect(config, { keepAlive: true, noDelay: true }),
      host: config.host,
      port: config.port,
      database: config.database,
      user: config.user,
      password: password?.reveal() ?? '',
      charset: 'utf8mb4',
      connectTimeout: connectMs,
      enableKeepAlive: true,
      flags: FLAGS,
      ...(config.ssl === 'off' ? {} : { ssl: tlsOf(config) }),
    })
  }

  /** Ends what runs on the connection, and the connection; settles when the server has been told, or after the connect time-out. */
  async kill(id: number): Promise<void> {
    let wire: Wire | undefined
    try {
      wire = await this.#dial(AbortSignal.timeout(this.#parts.connectMs))
      await StatementRun.one(wire, `kill ${id}`)
    } catch {
      // It has ended by itself, or the server is gone.
    } finally {
      wire?.close()
    }
  }
}

function tlsOf({ ssl, sslCa }: MysqlConfig): mysql.SslOptions {
  const ca = sslCa === undefined ? {} : { ca: sslCa }
  if (ssl === 'required') return { rejectUnauthorized: false }
  return { rejectUnauthorized: true, verifyIdentity: ssl === 'verify-identity', ...ca }
}
