/** What stands between a node and the service in real networks. */
import { createServer, type IncomingMessage, request, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import type { Duplex } from 'node:stream'

export class Middlebox implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Duplex>()
  /** Requests that it saw, "METHOD target". */
  readonly seen: string[] = []

  protected constructor(server: Server) {
    this.#server = server
    server.on('connection', (socket) => this.keep(socket))
    server.on('request', (incoming) => this.seen.push(`${incoming.method} ${incoming.url}`))
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
  }

  keep(socket: Duplex): void {
    this.#sockets.add(socket)
    socket.on('error', () => undefined).once('close', () => this.#sockets.delete(socket))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

/** A reverse proxy that knows HTTP and WebSockets and nothing else: another upgrade becomes a plain request. */
export class WebSocketOnlyProxy extends Middlebox {
  static async to(target: string): Promise<WebSocketOnlyProxy> {
    const forward = (incoming: IncomingMessage, headers: IncomingMessage['headers']) =>
      request(`${target}${incoming.url}`, { method: incoming.method, headers, agent: false })
    const server = createServer((incoming, outgoing) => {
      const { upgrade: _, connection: __, ...headers } = incoming.headers
      const sent = forward(incoming, headers)
      sent.on('response', (response) => {
        outgoing.writeHead(response.statusCode ?? 502, response.headers)
        response.pipe(outgoing)
      })
      sent.on('error', () => outgoing.destroy())
      incoming.pipe(sent)
    })
    // Node gives an upgrade that this refuses to the request listener: the header is dropped on the floor.
    Object.assign(server, { shouldUpgradeCallback: (incoming: IncomingMessage) => incoming.headers.upgrade === 'websocket' })
    const proxy = new WebSocketOnlyProxy(server)
    server.on('upgrade', (incoming, socket, head) => {
      const sent = forward(incoming, incoming.headers)
      sent.on('upgrade', (response, upstream, first) => {
        proxy.keep(upstream)
        const headers = Object.entries(response.headers).map(([name, value]) => `${name}: ${value}\r\n`)
        socket.write(`HTTP/1.1 101 Switching Protocols\r\n${headers.join('')}\r\n`)
        upstream.write(head)
        socket.write(first)
        upstream.pipe(socket).pipe(upstream)
        upstream.once('close', () => socket.destroy())
        socket.once('close', () => upstream.destroy())
      })
      sent.on('error', () => socket.destroy())
      sent.end()
    })
    await proxy.listen()
    return proxy
  }
}

/** A forward proxy as companies have it: CONNECT, with user and password. */
export class ConnectProxy extends Middlebox {
  static async open(credentials: string): Promise<ConnectProxy> {
    const server = createServer((_incoming, outgoing) => outgoing.writeHead(405).end())
    const proxy = new ConnectProxy(server)
    server.on('connect', (incoming, socket, head) => {
      proxy.seen.push(`CONNECT ${incoming.url}`)
      const expected = `Basic ${Buffer.from(credentials).toString('base64')}`
      if (incoming.headers['proxy-authorization'] !== expected) {
        return socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n')
      }
      const [host, port] = (incoming.url ?? '').split(':')
      const upstream = connect(Number(port), host)
      proxy.keep(upstream)
      upstream.once('connect', () => {
        socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
        upstream.write(head)
        upstream.pipe(socket).pipe(upstream)
      })
      upstream.once('close', () => socket.destroy())
      return socket.once('close', () => upstream.destroy())
    })
    await proxy.listen()
    return proxy
  }
}

/** A reverse proxy that lets no upgrade through while it is `closed`: calls pass, links do not. */
export class NoUpgradeProxy extends Middlebox {
  closed = true
  /** Paths of requests that it does not pass on. */
  refuses: RegExp | undefined

  static async to(target: string): Promise<NoUpgradeProxy> {
    const { hostname, port } = new URL(target)
    const server = createServer((incoming, outgoing) => {
      if (incoming.headers.upgrade !== undefined) return outgoing.writeHead(501).end()
      if (proxy.refuses?.test(incoming.url ?? '')) return outgoing.destroy()
      const { connection: _, ...headers } = incoming.headers
      const sent = request(`${target}${incoming.url}`, { method: incoming.method, headers, agent: false })
      sent.on('response', (response) => {
        outgoing.writeHead(response.statusCode ?? 502, response.headers)
        response.pipe(outgoing)
      })
      sent.on('error', () => outgoing.destroy())
      return incoming.pipe(sent)
    })
    const proxy: NoUpgradeProxy = new NoUpgradeProxy(server)
    Object.assign(server, { shouldUpgradeCallback: () => !proxy.closed })
    server.on('upgrade', (incoming, socket, head) => {
      const upstream = connect(Number(port), hostname)
      proxy.keep(upstream)
      const lines = Object.entries(incoming.headers).map(([name, value]) => `${name}: ${value}\r\n`)
      upstream.write(`${incoming.method} ${incoming.url} HTTP/1.1\r\n${lines.join('')}\r\n`)
      upstream.write(head)
      upstream.pipe(socket).pipe(upstream)
      upstream.once('close', () => socket.destroy())
      socket.once('close', () => upstream.destroy())
    })
    await proxy.listen()
    return proxy
  }
}
