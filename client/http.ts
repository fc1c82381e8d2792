/** One request to the service: JSON in, JSON or a stream out, every failure a Fault. Runs in a browser too. */
import { Fault, type FaultDetails } from '@postern/protocol/fault.ts'

export interface ClientOptions {
  /** Where the service is: "https://postern.example.com". */
  readonly url: string
  readonly token?: string | undefined
  /** Another fetch: with a proxy, without time limits, for a test. */
  readonly fetch?: typeof fetch | undefined
}

export interface RequestParts {
  readonly body?: unknown
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  readonly accept?: string
  readonly signal?: AbortSignal | undefined
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export class Http {
  readonly #base: string
  readonly #token: string | undefined
  readonly #fetch: typeof fetch

  constructor(options: ClientOptions) {
    this.#base = baseOf(options.url)
    this.#token = options.token
    this.#fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init))
  }

  /** The answer as it came: what a newer service adds is kept, so there is no schema in between. */
  async json<T>(method: Method, path: string, parts: RequestParts = {}): Promise<T> {
    const response = await this.send(method, path, parts)
    if (response.status === 204) return undefined as T
    if (!isJson(response)) {
      await response.body?.cancel().catch(() => undefined)
      throw this.#foreign(response)
    }
    try {
      return (await response.json()) as T
    } catch (cause) {
      throw this.#unreachable(cause)
    }
  }

  /** A response with a good status; its body is the caller's to read or to cancel. */
  async send(method: Method, path: string, parts: RequestParts = {}): Promise<Response> {
    const headers: Record<string, string> = { accept: parts.accept ?? 'application/json' }
    if (this.#token !== undefined) headers['authorization'] = `Bearer ${this.#token}`
    if (parts.body !== undefined) headers['content-type'] = 'application/json'
    let response: Response
    try {
      response = await this.#fetch(this.#base + path + queryText(parts.query), {
        method,
        headers,
        redirect: 'error',
        body: parts.body === undefined ? null : JSON.stringify(parts.body),
        signal: parts.signal ?? null,
      })
    } catch (cause) {
      parts.signal?.throwIfAborted()
      throw this.#unreachable(cause)
    }
    if (!response.ok) throw await this.#faultOf(response)
    return response
  }

  async #faultOf(response: Response): Promise<Fault> {
    const text = await response.text().catch(() => '')
    const problem = isJson(response) ? parseProblem(text) : undefined
    if (!problem) return this.#foreign(response)
    const query = response.headers.get('postern-query-id')
    const details: FaultDetails = {
      ...(problem.requestId === undefined ? {} : { requestId: problem.requestId }),
      ...(query === null ? {} : { query }),
    }
    return Fault.fromJson({
      code: problem.code,
      message: problem.detail ?? problem.title ?? problem.code,
      remedy: problem.remedy,
      details: { ...problem.details, ...details },
    })
  }

  #foreign(response: Response): Fault {
    return new Fault('NOT_A_SERVICE', { at: `${this.#base} (status ${response.status})`, details: { status: response.status } })
  }

  #unreachable(cause: unknown): Fault {
    return new Fault('SERVICE_UNREACHABLE', { at: `${this.#base}: ${reasonOf(cause)}`, cause })
  }
}

interface Problem {
  readonly code: string
  readonly title?: string
  readonly detail?: string
  readonly remedy?: string
  readonly requestId?: string
  readonly details?: FaultDetails
}

function parseProblem(text: string): Problem | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && 'code' in value && typeof value.code === 'string' ? (value as Problem) : undefined
  } catch {
    return undefined
  }
}

function baseOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol !== 'http:' && parsed?.protocol !== 'https:') {
    throw new Fault('INPUT_INVALID', { at: `"${url}" is not the URL of a service (http:// or https://).` })
  }
  return parsed.origin + parsed.pathname.replace(/\/+$/, '')
}

function queryText(query: RequestParts['query']): string {
  const pairs: [string, string][] = Object.entries(query ?? {}).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  )
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs)}`
}

function isJson(response: Response): boolean {
  return /^application\/(?:problem\+)?json\b/.test(response.headers.get('content-type') ?? '')
}

/** The reason that a person can act on: fetch hides it in its cause. */
export function reasonOf(thrown: unknown): string {
  const inner = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown
  if (!(inner instanceof Error)) return String(inner)
  if ('code' in inner && typeof inner.code === 'string' && inner.message === '') return inner.code
  return inner.message || inner.name
}
