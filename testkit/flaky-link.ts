/** A TCP proxy that misbehaves on command: what a bad network does between a node, the service and a store. */
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { FlakyPipe, type Weather } from './flaky-pipe.ts'

export class FlakyLink implements AsyncDisposable {
  readonly host = '127.0.0.1'
  readonly port: number
  readonly #server: Server
  readonly #connections = new Set<Connection>()
  #weather: Weather = {}
  #cut = false

  private constructor(server: Server, port: number) {
    this.#server = server
    this.port = port
  }

  static async to(target: { readonly host?: string; readonly port: number }): Promise<FlakyLink> {
    const server = createServer({ pauseOnConnect: true, noDelay: true, allowHalfOpen: true })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (typeof address !== 'object' || !address) throw new Error('The flaky link has no port.')
    const link = new FlakyLink(server, address.port)
    server.on('connection', (socket) => link.#accept(socket, target))
    return link
  }

  /** Connections that go through it now. */
  get connections(): number {
    return this.#connections.size
  }

  /** Breaks every connection and lets no new one through until `heal`. */
  cut(): void {
    this.#cut = true
    this.drop()
  }

  /** Breaks every connection once; new ones work. */
  drop(): void {
    for (const connection of this.#connections) connection.destroy()
  }

  /** Reads nothing any more: both ends see a peer that has stopped taking bytes. Lost is nothing. */
  stall(): void {
    this.#change({ ...this.#weather, stalled: true })
  }

  /**
   * Takes bytes and drops them, as a firewall that has forgotten the connection: neither end is told. A connection that
   * has lost bytes so stays dead after `heal`; new ones work then.
   */
  halfOpen(): void {
    this.#change({ ...this.#weather, dropping: true })
  }

  /** At most so many bytes a second, each way and connection. */
  slow(bytesPerSecond: number): void {
    this.#change({ ...this.#weather, bytesPerSecond })
  }

  /** Each byte comes so much later; the throughput stays. */
  delay(milliseconds: number): void {
    this.#change({ ...this.#weather, delayMs: milliseconds })
  }

  heal(): void {
    this.#cut = false
    this.#change({})
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.drop()
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    await closed
  }

  #change(weather: Weather): void {
    this.#weather = weather
    for (const connection of this.#connections) connection.feel(weather)
  }

  #accept(near: Socket, target: { readonly host?: string; readonly port: number }): void {
    if (this.#cut) {
      near.on('error', () => undefined)
      near.resetAndDestroy()
      return
    }
    const far = connect({ host: target.host ?? '127.0.0.1', port: target.port, noDelay: true, allowHalfOpen: true })
    const connection = new Connection(near, far, () => this.#connections.delete(connection))
    this.#connections.add(connection)
    connection.feel(this.#weather)
  }
}

class Connection {
  readonly #near: Socket
  readonly #far: Socket
  readonly #pipes: readonly FlakyPipe[]

  constructor(near: Socket, far: Socket, onClosed: () => void) {
    this.#near = near
    this.#far = far
    this.#pipes = [new FlakyPipe(near, far), new FlakyPipe(far, near)]
    let open = 2
    for (const socket of [near, far]) {
      socket.on('error', () => this.destroy())
      socket.on('close', (failed) => {
        if (failed) this.destroy()
        open -= 1
        if (open === 0) onClosed()
      })
    }
  }

  feel(weather: Weather): void {
    for (const pipe of this.#pipes) pipe.feel(weather)
  }

  destroy(): void {
    for (const pipe of this.#pipes) pipe.stop()
    for (const socket of [this.#near, this.#far]) if (!socket.destroyed) socket.resetAndDestroy()
  }
}
