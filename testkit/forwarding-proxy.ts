/**
 * A reverse proxy as they stand before services: HTTP/1.1 with kept connections, upgrades of any kind passed on, and the address of
 * who came appended to X-Forwarded-For, behind whatever the client has put there (nginx: proxy_add_x_forwarded_for).
 */
import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'

export class ForwardingProxy implements AsyncDisposable {
  readonly #server: Server
  readonly #target: string
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 })
  readonly #sockets = new Set<Duplex>()

  private constructor(target: string) {
    this.#target = target
    this.#server = createServer((incoming, outgoing) => {
      const sent = this.#forward(incoming, this.#agent)
      sent.once('response', (response) => {
        outgoing.writeHead(response.statusCode ?? 502, response.headers)
        response.pipe(outgoing)
      })
      sent.on('error', () => outgoing.destroy())
      incoming.pipe(sent)
    })
    this.#server.on('connection', (socket) => this.#keep(socket))
    this.#server.on('upgrade', (incoming, socket, head) => this.#upgrade(incoming, socket, head))
  }

  static async to(target: string): Promise<ForwardingProxy> {
    const proxy = new ForwardingProxy(target)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  #forward(incoming: IncomingMessage, agent: Agent | false) {
    const came = incoming.headers['x-forwarded-for']
    const address = incoming.socket.remoteAddress ?? ''
    const headers = { ...incoming.headers, 'x-forwarded-for': came === undefined ? address : `${came}, ${address}` }
    return request(`${this.#target}${incoming.url}`, { method: incoming.method, headers, agent })
  }

  #upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    const sent = this.#forward(incoming, false)
    const lines = ({ statusCode, statusMessage, rawHeaders }: IncomingMessage) => {
      const headers = rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${rawHeaders[index + 1]}\r\n`] : []))
      return `HTTP/1.1 ${statusCode} ${statusMessage}\r\n${headers.join('')}\r\n`
    }
    sent.once('response', (response) => {
      socket.write(lines(response))
      response.pipe(socket)
    })
    sent.once('upgrade', (response, upstream: Duplex, first: Buffer) => {
      this.#keep(upstream)
      socket.write(Buffer.concat([Buffer.from(lines(response)), first]))
      upstream.write(head)
      upstream.pipe(socket).pipe(upstream)
      upstream.once('close', () => socket.destroy())
      socket.once('close', () => upstream.destroy())
    })
    sent.on('error', () => socket.destroy())
    sent.end()
  }

  #keep(socket: Duplex): void {
    this.#sockets.add(socket)
    socket.on('error', () => undefined).once('close', () => this.#sockets.delete(socket))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy()
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
