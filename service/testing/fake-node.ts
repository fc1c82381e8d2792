/** A node for tests: the real protocol over real sockets, and behind it whatever the test wants. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { openAuthKey } from '@postern/protocol/auth-key.ts'
import type { NodeId, RunId } from '@postern/protocol/ids.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import { LINK_PATH, NODE_PATHS, QUERY_TRAILERS, SERVICE_PATHS } from '@postern/protocol/link.ts'
import type { Beat, BeatResponse, JoinResponse } from '@postern/protocol/node-api.ts'
import type { AttemptFinished, Counters, TaskOrder } from '@postern/protocol/task-api.ts'
import { makeCsr } from './csr.ts'
import { type Dialled, dialLink } from './fake-dialler.ts'
import { nodeProof } from './node-proof.ts'

export type Handler = (stream: ServerHttp2Stream, body: unknown, headers: IncomingHttpHeaders) => void
export type Report = AttemptFinished extends infer One ? (One extends unknown ? Omit<One, 'epoch'> : never) : never

const NOTHING: Counters = { rowsRead: 0, rowsWritten: 0, rowsSkipped: 0, bytesRead: 0, bytesWritten: 0 }

export class FakeNode {
  readonly name: string
  readonly id: NodeId
  readonly #url: string
  readonly #key: KeyObject
  /** What the link's paths answer; changed by tests at any time. */
  readonly handlers: Record<string, Handler> = { [NODE_PATHS.query]: (stream) => answerRows(stream, '[]', 0) }
  /** Paths whose streams are given at once: their bodies go on as long as the link. */
  readonly duplex: Record<string, (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void> = {}
  /** What the beats say. */
  running: { task: string; attempt: number }[] = []
  snapshots: RunId[] = []
  draining = false
  averages: { cpuPercent: number; memoryPercent: number; overSeconds: number } | undefined
  /** Over what a beat says, anew for each. */
  figures: () => Partial<Beat> = () => ({})
  lastBeat: BeatResponse | undefined
  #dialled: Dialled | undefined
  #beating: NodeJS.Timeout | undefined

  private constructor(url: string, joined: { name: string; nodeId: NodeId }, key: KeyObject) {
    this.#url = url
    this.name = joined.name
    this.id = joined.nodeId
    this.#key = key
  }

  static async join(url: string, key: string, name: string): Promise<FakeNode> {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    const identity = publicKey.export({ format: 'jwk' }).x
    const proof = (await openAuthKey(key))?.joinProof ?? key
    const body = JSON.stringify({ protocol: 1, key: proof, name, version: '0.1.0', identity, csr: await makeCsr() })
    const response = await fetch(url + SERVICE_PATHS.join, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    if (!response.ok) throw new Error(await response.text())
    return new FakeNode(url, (await response.json()) as JoinResponse, privateKey)
  }

  /** Beats, and is linked. */
  async up(transport: 'raw' | 'websocket' = 'raw'): Promise<void> {
    await this.link(transport)
    await this.beat()
    this.#beating = setInterval(() => void this.beat().catch(() => undefined), LIMITS.beatMs)
  }

  async link(transport: 'raw' | 'websocket' = 'raw'): Promise<void> {
    const headers = { authorization: this.authorization('GET', LINK_PATH, '') }
    this.#dialled = await dialLink({ url: this.#url, headers, transport, handler: (stream, sent) => this.#serve(stream, sent) })
  }

  unlink(): void {
    this.#dialled?.socket.destroy()
    this.#dialled = undefined
  }

  /** As SIGKILL: no goodbye. */
  async die(): Promise<void> {
    clearInterval(this.#beating)
    this.unlink()
  }

  async beat(): Promise<BeatResponse> {
    const { running, snapshots, draining, averages } = this
    this.lastBeat = await this.call<BeatResponse>(SERVICE_PATHS.beat, {
      bootId: this.id,
      sentAt: new Date().toISOString(),
      version: '0.1.0',
      channel: null,
      unreachable: [],
      cpuPercent: 1,
      cores: 2,
      totalMemoryBytes: 4e9,
      availableMemoryBytes: 2e9,
      networkInBytesPerSecond: 0,
      networkOutBytesPerSecond: 0,
      runningQueries: 0,
      running,
      snapshots,
      averages,
      hasGatewayKey: true,
      draining,
      ...this.figures(),
    })
    return this.lastBeat
  }

  /** A signed call. Fails with the problem's text. */
  async call<Answer>(path: string, payload: unknown, signal?: AbortSignal): Promise<Answer> {
    const body = JSON.stringify(payload)
    const headers = { 'content-type': 'application/json', authorization: this.authorization('POST', path, body) }
    const response = await fetch(this.#url + path, { method: 'POST', headers, body, ...(signal ? { signal } : {}) })
    const text = await response.text()
    if (!response.ok) throw new Error(`${response.status} ${text}`)
    return (text === '' ? undefined : JSON.parse(text)) as Answer
  }

  get epoch(): number {
    return this.lastBeat?.dispatcher.epoch ?? 0
  }

  async pull(max = 100, epoch = this.epoch): Promise<TaskOrder[]> {
    const { orders } = await this.call<{ orders: TaskOrder[] }>(SERVICE_PATHS.pull, { epoch, max })
    return orders
  }

  /** One order of a kind; anything else fails the test. */
  async pullOne(kind: TaskOrder['kind']): Promise<TaskOrder> {
    const [order, ...more] = await this.pull(1)
    if (order?.kind !== kind || more.length > 0) throw new Error(`Expected a ${kind}, got ${order?.kind}.`)
    return order
  }

  async started({ task, attempt, epoch }: TaskOrder): Promise<void> {
    this.running.push({ task, attempt })
    await this.call(SERVICE_PATHS.attempt(task, attempt, 'started'), { epoch })
  }

  async progress({ task, attempt, epoch }: TaskOrder, counters: Partial<Counters>): Promise<void> {
    await this.call(SERVICE_PATHS.attempt(task, attempt, 'progress'), { epoch, ...NOTHING, ...counters })
  }

  async finished({ task, attempt, epoch }: TaskOrder, report: Report): Promise<void> {
    await this.call(SERVICE_PATHS.attempt(task, attempt, 'finished'), { epoch, ...report })
    this.running = this.running.filter((one) => one.task !== task)
  }

  #serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const path = String(headers[':path'])
    const duplex = this.duplex[path]
    if (duplex) {
      duplex(stream, headers)
      return
    }
    const handler = this.handlers[path]
    if (!handler) {
      stream.respond({ ':status': 404 }, { endStream: true })
      return
    }
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => {
      const body = chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString())
      handler(stream, body, headers)
    })
  }

  /** Its proof, for a request that a test makes itself. */
  authorization(method: string, path: string, body = ''): string {
    return nodeProof(this.#key, { node: this.id, method, path, body })
  }
}

/** A whole answer, as a node gives it. */
export function answerRows(stream: ServerHttp2Stream, text: string, rows: number, fault?: unknown): void {
  if (stream.destroyed) return
  stream.respond({ ':status': 200 }, { waitForTrailers: true })
  stream.on('wantTrailers', () => {
    const failed = fault ? { [QUERY_TRAILERS.fault]: Buffer.from(JSON.stringify(fault)).toString('base64url') } : {}
    stream.sendTrailers({ [QUERY_TRAILERS.rows]: String(rows), ...failed })
  })
  stream.end(text)
}

export function planOf(parts: readonly (number | null)[], holdsSnapshot = false): Report {
  return {
    outcome: 'planned',
    plan: {
      lane: 'binary',
      guarantee: 'exactly-once',
      notes: ['planned'],
      context: { of: 'plan' },
      holdsSnapshot,
      parts: parts.map((estimatedRows, index) => ({ name: `part ${index + 1}`, estimatedRows, spec: { index } })),
    },
  }
}

export const moved = (rows: number) =>
  ({
    outcome: 'moved',
    counters: { rowsRead: rows, rowsWritten: rows, rowsSkipped: 0, bytesRead: rows * 10, bytesWritten: rows * 10 },
    result: { rows },
  }) satisfies Report

export function verified(status: 'passed' | 'failed' = 'passed'): Report {
  const figures = { sourceRows: 3, targetRows: 3, sourceChecksum: null, targetChecksum: null }
  return { outcome: 'finished', finish: { verification: { method: 'counts', status, ...figures, notes: [] }, notes: ['finished'] } }
}
