/** The console of a node on this machine, asked by whoever can read its data folder. */
import { request } from 'node:http'
import { systemRandom } from '@postern/base/random.ts'
import { type ConsoleFile, readConsoleFile } from '@postern/node/console/console-file.ts'
import { makePass } from '@postern/node/console/console-pass.ts'
import { readJoined } from '@postern/node/state/data-folder.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import { z } from 'zod'
import type { Shell } from '../shell.ts'

interface Ask<Schema extends z.ZodType> {
  readonly path: string
  readonly method?: 'GET' | 'POST'
  readonly body?: unknown
  readonly answer: Schema
}

const ASK_MS = 4 * LIMITS.callMs
const ANSWER_BYTES = 64 << 20
const FaultAnswer = z.object({ code: z.string(), message: z.string(), remedy: z.string().optional() })

export class NodeConsole {
  readonly #file: ConsoleFile
  readonly #data: string
  readonly #shell: Shell

  private constructor(file: ConsoleFile, data: string, shell: Shell) {
    this.#file = file
    this.#data = data
    this.#shell = shell
  }

  /** NODE_NOT_JOINED where the folder is no node's, NODE_NOT_RUNNING where the node was never started with a console. */
  static async of(data: string, shell: Shell): Promise<NodeConsole> {
    await readJoined(data)
    const file = await readConsoleFile(data)
    if (!file) throw notRunning(data)
    return new NodeConsole(file, data, shell)
  }

  /** With a code that opens the page, once. */
  get address(): string {
    return `http://127.0.0.1:${this.#file.port}/#code=${this.#pass('code')}`
  }

  async ask<Schema extends z.ZodType>({ path, method = 'GET', body, answer }: Ask<Schema>): Promise<z.output<Schema>> {
    const bytes = await this.#call(path, method, body)
    const parsed = answer.safeParse(parseJson(bytes))
    // Another program has the port: its answers are nobody's affair.
    if (!parsed.success) throw notRunning(this.#data)
    return parsed.data
  }

  download(path: string): Promise<Buffer> {
    return this.#call(path, 'GET', undefined)
  }

  #pass(kind: 'code' | 'call'): string {
    return makePass({ kind, secret: this.#file.secret, nonce: systemRandom.bytes(16), now: this.#shell.clock.now() })
  }

  async #call(path: string, method: 'GET' | 'POST', body: unknown): Promise<Buffer> {
    const signal = AbortSignal.any([this.#shell.signal, AbortSignal.timeout(ASK_MS)])
    const { status, bytes } = await this.#send(path, method, body === undefined ? '{}' : JSON.stringify(body), signal).catch((cause) => {
      if (this.#shell.signal.aborted) throw this.#shell.signal.reason
      throw signal.aborted ? new Fault('TIMED_OUT', { cause }) : notRunning(this.#data, cause)
    })
    if (status < 400) return bytes
    const fault = FaultAnswer.safeParse(parseJson(bytes))
    throw fault.success ? Fault.fromJson(fault.data) : notRunning(this.#data)
  }

  #send(path: string, method: string, body: string, signal: AbortSignal): Promise<{ readonly status: number; readonly bytes: Buffer }> {
    return new Promise((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${this.#pass('call')}`,
        ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
      }
      const sent = request({ host: '127.0.0.1', port: this.#file.port, path, method, headers, agent: false, signal }, (response) => {
        const chunks: Buffer[] = []
        let size = 0
        response.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size > ANSWER_BYTES) return sent.destroy(new Fault('BODY_TOO_LARGE', { at: '(an answer of the console)' }))
          chunks.push(chunk)
        })
        response.once('end', () => resolve({ status: response.statusCode ?? 0, bytes: Buffer.concat(chunks) }))
        response.once('error', reject)
      })
      sent.once('error', reject)
      sent.end(method === 'POST' ? body : undefined)
    })
  }
}

const notRunning = (data: string, cause?: unknown) => new Fault('NODE_NOT_RUNNING', { at: `(${data})`, cause })

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}
