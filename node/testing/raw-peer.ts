/** A peer that has a certificate of the gateway, and does with it what no node of ours does. */
import { readFile } from 'node:fs/promises'
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2'
import { join } from 'node:path'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { channelCredentials, MUTUAL_NAME } from '../channel/credentials.ts'
import { NodeFile } from '../state/node-file.ts'

export interface Said {
  /** Undefined: cut without an answer. */
  readonly status: number | undefined
  readonly text: string
}

export class RawPeer {
  readonly #channel: NodeFile['channel']
  readonly #port: number

  private constructor(channel: NodeFile['channel'], port: number) {
    this.#channel = channel
    this.#port = port
  }

  /** With the certificate of the node that lives in `data`, to a channel's port. */
  static async as(data: string, port: number): Promise<RawPeer> {
    const file = NodeFile.parse(JSON.parse(await readFile(join(data, 'node.json'), 'utf8')))
    return new RawPeer(file.channel, port)
  }

  dial(): TLSSocket {
    const credentials = channelCredentials(this.#channel)
    const options = { ...credentials, host: '127.0.0.1', port: this.#port, servername: MUTUAL_NAME, ALPNProtocols: ['h2'] }
    // Whom it talks to is not what is tested.
    return connectTls({ ...options, rejectUnauthorized: false }).on('error', () => undefined)
  }

  /** Sends bytes where HTTP/2 is expected; all that is answered until the end. */
  raw(sent: Buffer): Promise<Buffer> {
    return new Promise((resolve) => {
      const chunks: Buffer[] = []
      const socket = this.dial()
      socket.on('data', (chunk: Buffer) => chunks.push(chunk))
      socket.once('close', () => resolve(Buffer.concat(chunks)))
      socket.end(sent)
    })
  }

  session(): ClientHttp2Session {
    return connectHttp2(`https://127.0.0.1:${this.#port}`, { createConnection: () => this.dial() }).on('error', () => undefined)
  }
}

export interface Sent {
  readonly path: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body: Buffer | string
  /** Resets the stream where the body would end. */
  readonly cut?: boolean
}

export function send(session: ClientHttp2Session, { path, method = 'POST', headers = {}, body, cut = false }: Sent): Promise<Said> {
  return new Promise((resolve) => {
    let status: number | undefined
    const chunks: Buffer[] = []
    const over = () => resolve({ status, text: Buffer.concat(chunks).toString('utf8') })
    if (session.destroyed || session.closed) return over()
    // A GET would end itself.
    const stream = session.request({ ...headers, ':method': method, ':path': path }, { endStream: false })
    stream.on('response', (seen) => {
      status = Number(seen[':status'])
    })
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('error', () => undefined).once('close', over)
    if (!cut) return void stream.end(body)
    stream.write(body.length > 0 ? body : ' ')
    return void setImmediate(() => stream.close(8))
  })
}
