/** A TCP proxy that keeps every byte of both directions: what somebody on the wire would have seen. */
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

export class Recorder implements AsyncDisposable {
  readonly port: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #heard: Buffer[] = []

  private constructor(server: Server, port: number) {
    this.#server = server
    this.port = port
  }

  static async to(port: number): Promise<Recorder> {
    const server = createServer({ noDelay: true, allowHalfOpen: true })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (typeof address !== 'object' || !address) throw new Error('The recorder has no port.')
    const recorder = new Recorder(server, address.port)
    server.on('connection', (near) => recorder.#accept(near, port))
    return recorder
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Of all connections, each direction in its order. */
  get heard(): Buffer {
    return Buffer.concat(this.#heard)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    const closed = once(this.#server, 'close')
    this.#server.close()
    await closed
  }

  #accept(near: Socket, port: number): void {
    const far = connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true })
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from)
      from.on('data', (bytes: Buffer) => this.#heard.push(Buffer.from(bytes)))
      from.pipe(to)
      from.on('error', () => to.destroy())
      from.once('close', () => this.#sockets.delete(from))
    }
  }
}
