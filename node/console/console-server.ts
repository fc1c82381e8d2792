import { createServer, type Server } from 'node:http'
import type { Component } from '@postern/base/lifecycle.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { errorCode } from '../state/files.ts'

interface ConsoleServerParts {
  readonly port: number
  /** What the node says of itself: nothing secret. */
  readonly status: () => unknown
}

/** In ms: of headers, of a request, and how often it is looked. */
const LATE = { headersTimeout: 5_000, requestTimeout: 10_000, connectionsCheckingInterval: 2_000 } as const
const MOST_CONNECTIONS = 64
const HEADERS = {
  'content-type': 'application/json',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
} as const

/** `GET /status` as JSON for the person at the machine: on 127.0.0.1 only. */
export class ConsoleServer implements Component {
  readonly name = 'console'
  readonly #parts: ConsoleServerParts
  #server: Server | undefined

  constructor(parts: ConsoleServerParts) {
    this.#parts = parts
  }

  async start(): Promise<void> {
    const { port, status } = this.#parts
    const server = createServer({ ...LATE, maxHeaderSize: 8_192 }, (request, response) => {
      // A page on another site must not read it by a name that it points at 127.0.0.1.
      const local = /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(request.headers.host ?? '')
      const found = local && request.method === 'GET' && request.url === '/status'
      const body = found ? status() : new Fault('ROUTE_UNKNOWN', { at: 'Only GET /status is here.' })
      response.writeHead(found ? 200 : 404, HEADERS)
      response.end(`${JSON.stringify(body, null, 2)}\n`)
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => {
        const code = errorCode(cause)
        const at = `(console port ${port}; choose another with --console-port)`
        reject(new Fault(code === 'EADDRINUSE' ? 'PORT_TAKEN' : 'CONFIG_INVALID', { at, cause }))
      })
      server.listen(port, '127.0.0.1', resolve)
    })
    server.maxConnections = MOST_CONNECTIONS
    this.#server = server
  }

  async stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (!server) return
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeAllConnections()
    await closed
  }
}
