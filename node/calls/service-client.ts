import { type IncomingMessage, request } from 'node:http'
import type { Clock } from '@postern/base/clock.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import type { z } from 'zod'
import type { Identity } from '../identity/identity.ts'
import { errorCode } from '../state/files.ts'
import { parseAnswer, parseProblem } from './answer.ts'
import { type Dialler, DiallerAgent, unreachable } from './dialler.ts'
import { prefixOf } from './service-url.ts'

interface ServiceClientParts {
  readonly dialler: Dialler
  readonly clock: Clock
  /** Who signs; left out for the join, whose proof is the key in its body. */
  readonly signer?: { readonly identity: Identity; readonly nodeId: string }
}

export interface Call<Schema extends z.ZodType> {
  readonly method?: 'GET' | 'POST'
  readonly path: string
  readonly body?: unknown
  /** What the answer must be; left out when nothing is expected. */
  readonly answer?: Schema
  readonly timeoutMs?: number
}

/** Calls of the node to the service: signed, bounded in time and size, answered by a parsed value or a Fault. */
export class ServiceClient {
  readonly #parts: ServiceClientParts
  readonly #agent: DiallerAgent
  /** Answers that stream hold their connections for long: none of them may keep a beat waiting for one. */
  readonly #streams: DiallerAgent

  constructor(parts: ServiceClientParts) {
    this.#parts = parts
    this.#agent = new DiallerAgent(parts.dialler)
    this.#streams = new DiallerAgent(parts.dialler)
  }

  async call<Schema extends z.ZodType>(call: Call<Schema>, signal?: AbortSignal): Promise<z.output<Schema>> {
    const timeout = AbortSignal.timeout(call.timeoutMs ?? LIMITS.callMs)
    const until = signal ? AbortSignal.any([signal, timeout]) : timeout
    try {
      return await this.#once(call, until)
    } catch (cause) {
      // A kept connection that the service closed while the call was on its way: it was not read, so it is sent again.
      if (!(cause instanceof StaleConnection)) throw this.#fault(cause, signal)
    }
    try {
      return await this.#once(call, until)
    } catch (cause) {
      throw this.#fault(cause instanceof StaleConnection ? cause.cause : cause, signal)
    }
  }

  /** An answer that streams, as soon as its head has come. It ends with the signal; nothing else bounds it in time. */
  async stream(call: Pick<Call<z.ZodType>, 'path' | 'body'>, signal: AbortSignal): Promise<IncomingMessage> {
    const { target } = this.#parts.dialler
    const body = JSON.stringify(call.body)
    const send = () => this.#send(call, body, signal, this.#streams)
    try {
      const response = await send().catch((cause) => {
        if (cause instanceof StaleConnection) return send()
        throw cause
      })
      if (response.statusCode === 200) return response
      const answer = { status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', text: await readText(response) }
      throw parseProblem(target, answer)
    } catch (cause) {
      throw this.#fault(cause instanceof StaleConnection ? cause.cause : cause, signal)
    }
  }

  close(): void {
    this.#agent.destroy()
    this.#streams.destroy()
  }

  authorization(method: string, path: string, body: string): Record<string, string> {
    const { signer, clock } = this.#parts
    if (!signer) return {}
    return { authorization: signer.identity.authorization({ issuer: signer.nodeId, method, path, body }, clock) }
  }

  #fault(cause: unknown, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted) return signal.reason
    // Or each call would wait for its own dead connection to time out.
    if (cause instanceof Error && cause.name === 'TimeoutError') this.#agent.forget()
    return unreachable(this.#parts.dialler.target, cause)
  }

  async #once<Schema extends z.ZodType>(call: Call<Schema>, signal: AbortSignal): Promise<z.output<Schema>> {
    const body = call.body === undefined ? '' : JSON.stringify(call.body)
    const response = await this.#send(call, body, signal)
    const text = await readText(response)
    const answer = { status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', text }
    return parseAnswer(this.#parts.dialler.target, answer, call.answer)
  }

  #send(call: Call<z.ZodType>, body: string, signal: AbortSignal, agent = this.#agent): Promise<IncomingMessage> {
    const { target } = this.#parts.dialler
    const method = call.method ?? 'POST'
    return new Promise((resolve, reject) => {
      const sent = request({
        agent,
        host: target.hostname,
        port: target.port || (target.protocol === 'https:' ? 443 : 80),
        method,
        path: prefixOf(target) + call.path,
        signal,
        headers: {
          host: target.host,
          accept: 'application/json',
          ...(body === '' ? {} : { 'content-type': 'application/json' }),
          'content-length': Buffer.byteLength(body),
          ...this.authorization(method, call.path, body),
        },
      })
      sent.once('response', resolve)
      sent.on('error', (cause) => {
        const code = errorCode(cause)
        if (code?.startsWith('HPE_')) return reject(new Fault('NOT_A_SERVICE', { at: `(${target.origin})`, cause }))
        const stale = sent.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE')
        reject(stale ? new StaleConnection({ cause }) : signal.aborted ? signal.reason : cause)
      })
      sent.end(body)
    })
  }
}

class StaleConnection extends Error {
  constructor(options: ErrorOptions) {
    super('stale connection', options)
  }
}

/** Answers may be long (a plan's orders), but not without end. */
const ANSWER_BYTES = LIMITS.orderBytes

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > ANSWER_BYTES) throw new Fault('BODY_TOO_LARGE', { at: `(an answer of the service over ${ANSWER_BYTES} bytes)` })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
