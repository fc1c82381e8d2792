import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { freePort } from './free-port.ts'

/** TCP, each connection to the next replica that can be reached, as the simplest balancer does. */
export class Balancer implements AsyncDisposable {
  readonly url: string
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #turn = 0

  private constructor(port: number, targets: readonly number[], tls: boolean) {
    this.url = `${tls ? 'https' : 'http'}://127.0.0.1:${port}`
    this.#server = createServer((client) => this.#join(client, targets, targets.length))
    this.#server.listen(port, '127.0.0.1')
  }

  /** `tls`: what they speak; the bytes are passed as they are. */
  static async over(targets: readonly number[], tls = false): Promise<Balancer> {
    const balancer = new Balancer(await freePort(), targets, tls)
    await once(balancer.#server, 'listening')
    return balancer
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }

  #join(client: Socket, targets: readonly number[], tries: number): void {
    client.on('error', () => client.destroy())
    if (tries === 0) {
      client.destroy()
      return
    }
    const replica = connect(targets[this.#turn++ % targets.length] ?? 0, '127.0.0.1')
    replica.once('error', () => this.#join(client, targets, tries - 1))
    replica.once('connect', () => {
      replica.removeAllListeners('error')
      for (const socket of [client, replica]) {
        this.#sockets.add(socket)
        socket.setNoDelay(true)
        socket.on('error', () => socket.destroy())
        socket.once('close', () => {
          this.#sockets.delete(socket)
          client.destroy()
          replica.destroy()
        })
      }
      client.pipe(replica).pipe(client)
    })
  }
}
