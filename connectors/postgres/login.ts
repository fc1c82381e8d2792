import { connect as connectSocket, type Socket } from 'node:net'
import type { Clock } from '@postern/base/clock.ts'
import type { HostGuard } from '@postern/base/host-guard.ts'
import type { Secret } from '@postern/base/log.ts'
import { Fault } from '@postern/protocol/fault.ts'
import pg from 'pg'
import type { PostgresConfig } from './index.ts'
import { cancelRequest, parameterStatus, READY, startup } from './messages.ts'
import { faultOfAbort, faultOfConnect } from './server-error.ts'
import { Wire } from './wire.ts'

export interface LoginParts {
  readonly config: PostgresConfig
  readonly password: Secret | undefined
  readonly hosts: HostGuard
  readonly clock: Clock
  readonly connectMs: number
}

type Tls = false | { rejectUnauthorized: boolean; ca?: string; checkServerIdentity?: () => undefined }

/** What a server gives a connection to be known by when it is to be cancelled. */
export interface ServerKey {
  readonly processId: number
  readonly secretKey: number
}

interface SignedIn extends ServerKey {
  readonly socket: Socket
  /** ParameterStatus and ReadyForQuery, as the server said them. */
  readonly greeting: Buffer
}

/** What pg keeps to itself and its types do not show. */
interface Inside {
  readonly connection: {
    readonly stream: Socket
    startup: () => void
    on(event: 'parameterStatus', heard: (said: { readonly parameterName: string; readonly parameterValue: string }) => void): void
  }
  readonly processID: number | null
  readonly secretKey: number | null
}

/** Of our own connections. Only the style of dates: the order of day and month stays the database's. */
const OURS = { application_name: 'postern', DateStyle: 'ISO', client_encoding: 'UTF8' }

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
    const { socket, processId, secretKey } = await this.signIn(OURS, signal)
    return new Wire(socket, { processId, secretKey, openedAt: this.#parts.clock.monotonic() })
  }

  /** The socket right after ReadyForQuery. User and database are the store's, whatever `parameters` say. */
  async signIn(parameters: Readonly<Record<string, string>>, signal: AbortSignal): Promise<SignedIn> {
    const { config } = this.#parts
    const prefers = config.sslmode === 'prefer' && !config.host.startsWith('/')
    if (!prefers || this.#withoutTls) return this.#dial(this.#tls(), parameters, signal)
    try {
      return await this.#dial({ rejectUnauthorized: false }, parameters, signal)
    } catch (cause) {
      const inner = cause instanceof Error ? cause.cause : undefined
      if (!(inner instanceof Error) || !/does not support SSL/.test(inner.message)) throw cause
      this.#withoutTls = true
      return this.#dial(false, parameters, signal)
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

  async #dial(ssl: Tls, parameters: Readonly<Record<string, string>>, signal: AbortSignal): Promise<SignedIn> {
    if (signal.aborted) throw faultOfAbort(signal)
    const { config, connectMs } = this.#parts
    const place = placeOf(config)
    const client = this.#client(ssl)
    const inside = client as unknown as Inside
    // pg's own would force its encoding on everybody.
    inside.connection.startup = () => {
      inside.connection.stream.write(startup({ ...parameters, user: config.user, database: config.database }))
    }
    const greeting: Buffer[] = []
    inside.connection.on('parameterStatus', (said) => greeting.push(parameterStatus(said.parameterName, said.parameterValue)))
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
    return {
      socket,
      processId: inside.processID ?? 0,
      secretKey: inside.secretKey ?? 0,
      greeting: Buffer.concat([...greeting, READY]),
    }
  }

  #client(ssl: Tls): pg.Client {
    const { config, password, hosts, connectMs } = this.#parts
    return new pg.Client({
      stream: () => hosts.socket(),
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
  }

  /** Asks the server to stop what runs on the wire; settles when the server has passed it on, or after the connect time-out. */
  cancel({ processId, secretKey }: ServerKey): Promise<void> {
    const { config, hosts, connectMs } = this.#parts
    return new Promise((resolve) => {
      const socket = config.host.startsWith('/') ? connectSocket(`${config.host}/.s.PGSQL.${config.port}`) : hosts.connect(config)
      socket.setTimeout(connectMs, () => socket.destroy())
      socket.on('error', () => undefined)
      socket.on('close', () => resolve())
      socket.on('connect', () => socket.write(cancelRequest(processId, secretKey)))
      socket.on('data', () => undefined)
    })
  }
}
