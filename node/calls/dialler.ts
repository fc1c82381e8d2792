import { Agent, request } from 'node:http'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { Fault } from '@postern/protocol/fault.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import { errorCode } from '../state/files.ts'
import { type Environment, parseProxy, proxyFromEnvironment } from './proxy.ts'

interface DiallerParts {
  readonly target: URL
  readonly environment: Environment
  /** The gateway's setting `proxyUrl`; '' = as the environment says. */
  readonly proxyUrl: () => string
}

/** Opens sockets to the service: straight or through a proxy by CONNECT, with TLS where the URL has it. */
export class Dialler {
  readonly target: URL
  readonly #environment: Environment
  readonly #proxyUrl: () => string
  /** Address of this machine as the service's network sees it: where other nodes find the channel. */
  #localAddress: string | undefined
  #used: string | null = null

  constructor(parts: DiallerParts) {
    this.target = parts.target
    this.#environment = parts.environment
    this.#proxyUrl = parts.proxyUrl
  }

  /** For people, without passwords: what is set, and by what the service was last reached ('' = straight, null = not yet). */
  get proxy(): { readonly setting: string | null; readonly environment: string | null; readonly used: string | null } {
    return {
      setting: told(this.#proxyUrl),
      environment: told(() => proxyFromEnvironment(this.target, this.#environment)?.href ?? ''),
      used: this.#used,
    }
  }

  get localAddress(): string | undefined {
    return this.#localAddress
  }

  /** A socket that speaks HTTP/1.1 to the service. */
  async dial(signal: AbortSignal): Promise<Socket> {
    const central = this.#proxyUrl()
    if (central !== '') {
      try {
        return await this.#dialBy(parseProxy(central, 'proxyUrl'), signal)
      } catch (cause) {
        // A wrong central setting must not cut the node off for good: it could never be told the right one.
        if (signal.aborted) throw cause
      }
    }
    return this.#dialBy(proxyFromEnvironment(this.target, this.#environment), signal)
  }

  async #dialBy(proxy: URL | undefined, signal: AbortSignal): Promise<Socket> {
    const { target } = this
    const plain = proxy ? await throughProxy(proxy, target, signal) : await tcp(target, signal)
    this.#localAddress = plain.localAddress ?? this.#localAddress
    const socket = target.protocol === 'https:' ? await tls(plain, target, signal) : plain
    this.#used = proxy ? where(proxy) : ''
    return socket
  }
}

/** Beats go by the link: thousands of nodes must not keep a second connection to the service, and its memory, for nothing. */
const IDLE_MS = 5_000

/** An agent whose sockets a Dialler opens; `http.request` then speaks over them whatever the scheme of the URL is. */
export class DiallerAgent extends Agent {
  readonly #dialler: Dialler

  constructor(dialler: Dialler) {
    super({ keepAlive: true, maxSockets: 64, maxFreeSockets: 8, scheduling: 'lifo', timeout: IDLE_MS })
    this.#dialler = dialler
  }

  /** What is kept open and idle is not used again: a path that has swallowed one connection has mostly swallowed all. */
  forget(): void {
    for (const sockets of Object.values(this.freeSockets)) for (const socket of sockets ?? []) socket.destroy()
  }

  override createConnection(_options: object, callback?: (cause: Error | null, socket: Duplex) => void): undefined {
    this.#dialler.dial(AbortSignal.timeout(LIMITS.dialMs)).then(
      (socket) => callback?.(null, socket),
      // Node's types want a socket here too; its code reads only the error.
      (cause: Error) => callback?.(cause, undefined as unknown as Duplex),
    )
  }
}

const portOf = (url: URL): number => Number(url.port || (url.protocol === 'https:' ? 443 : 80))
const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '')
const where = (url: URL): string => `${url.protocol}//${url.host}`

/** A proxy's address as a person may see it: one that cannot be read is named and not shown. */
function told(read: () => string): string | null {
  try {
    const text = read()
    return text === '' ? null : where(parseProxy(text, 'proxyUrl'))
  } catch (cause) {
    return Fault.from(cause).message
  }
}

/** Settles with the socket on `event`, or with a fault that says what was dialled. */
function opened<S extends Socket>(socket: S, event: string, url: URL, signal: AbortSignal): Promise<S> {
  return new Promise((resolve, reject) => {
    const settle = (cause?: unknown) => {
      detach()
      socket.off(event, onOpen).off('error', settle).off('close', onClose)
      if (cause === undefined) return resolve(socket.setNoDelay(true))
      socket.on('error', () => undefined).destroy()
      reject(unreachable(url, cause))
    }
    const onOpen = () => settle()
    const onClose = () => settle(new Error('closed'))
    socket.once(event, onOpen).once('error', settle).once('close', onClose)
    const detach = onAbort(signal, () => settle(signal.reason))
  })
}

function tcp(url: URL, signal: AbortSignal): Promise<Socket> {
  return opened(connectTcp({ host: hostOf(url), port: portOf(url) }), 'connect', url, signal)
}

function tls(socket: Socket, url: URL, signal: AbortSignal): Promise<Socket> {
  const host = hostOf(url)
  const secure = connectTls({ socket, host, ALPNProtocols: ['http/1.1'], ...(isIP(host) ? {} : { servername: host }) })
  return opened(secure, 'secureConnect', url, signal)
}

async function throughProxy(proxy: URL, target: URL, signal: AbortSignal): Promise<Socket> {
  const plain = await tcp(proxy, signal)
  const socket = proxy.protocol === 'https:' ? await tls(plain, proxy, signal) : plain
  const authority = `${target.hostname}:${portOf(target)}`
  const user = decodeURIComponent(proxy.username)
  const headers: Record<string, string> = { host: authority }
  if (user !== '') {
    headers['proxy-authorization'] = `Basic ${Buffer.from(`${user}:${decodeURIComponent(proxy.password)}`).toString('base64')}`
  }
  return new Promise((resolve, reject) => {
    const refuse = (cause: unknown) => {
      detach()
      socket.on('error', () => undefined).destroy()
      reject(unreachable(target, cause, `through the proxy ${where(proxy)}`))
    }
    const connect = request({ method: 'CONNECT', path: authority, headers, createConnection: () => socket })
    const detach = onAbort(signal, () => refuse(signal.reason))
    connect.once('connect', (response, tunnel, head) => {
      if (response.statusCode !== 200) return refuse(new Error(`the proxy answered ${response.statusCode}`))
      detach()
      if (head.length > 0) tunnel.unshift(head)
      resolve(tunnel as Socket)
    })
    connect.once('response', (response) => refuse(new Error(`the proxy answered ${response.statusCode}`)))
    connect.on('error', refuse)
    connect.end()
  })
}

/**
 * Calls back when the signal aborts, at once if it has; the answer takes that back. Not `request({ signal })` where a socket
 * lives on: a time limit that ends later would destroy it.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  if (signal.aborted) {
    queueMicrotask(callback)
    return () => undefined
  }
  signal.addEventListener('abort', callback, { once: true })
  return () => signal.removeEventListener('abort', callback)
}

export function unreachable(url: URL, cause: unknown, by = ''): Fault {
  if (cause instanceof Fault) return cause
  const timedOut = cause instanceof Error && cause.name === 'TimeoutError'
  const reason = timedOut ? 'no answer in time' : (errorCode(cause) ?? (cause instanceof Error ? cause.message : 'failed'))
  const untrusted = /CERT|SELF_SIGNED|UNABLE_TO_/.test(reason)
  const remedy = untrusted ? { remedy: "Trust the authority of the service's certificate: NODE_EXTRA_CA_CERTS=/path/to/ca.pem." } : {}
  return new Fault('SERVICE_UNREACHABLE', { at: `(${where(url)}${by ? ` ${by}` : ''}: ${reason})`, cause, ...remedy })
}
