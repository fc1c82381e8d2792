import http from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { BackOff } from '@postern/base/back-off.ts'
import type { Clock } from '@postern/base/clock.ts'
import type { Log } from '@postern/base/log.ts'
import type { Pulse } from '@postern/base/pulse.ts'
import type { Random } from '@postern/base/random.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { NodeId, ReplicaId } from '@postern/protocol/ids.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import { LINK_PROTOCOL } from '@postern/protocol/link.ts'
import { Link } from '../links/link.ts'
import { linkPulse, type Reach } from '../links/link-registry.ts'
import { NEWS_BYTES, NEWS_PATH, REPLICA_LINK_PATH, ReplicaNews } from './replica-news.ts'
import { type ReplicaKey, replicaProof } from './replica-proof.ts'
import type { ReplicaRow } from './replica-repository.ts'

export interface ReplicaPeerParts {
  readonly self: ReplicaId
  readonly other: ReplicaRow
  readonly key: ReplicaKey
  readonly hear: (news: ReplicaNews) => void
  /** Its nodes are out of reach by it, until it is linked again. */
  readonly lost: () => void
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** Our link to one other replica: we hear its news over it, and reach the nodes that are linked to it. */
export class ReplicaPeer {
  readonly other: ReplicaRow
  readonly #parts: ReplicaPeerParts
  readonly #stopping = new AbortController()
  readonly #nodes = new Set<NodeId>()
  readonly #pulse: Pulse
  #link: Link | undefined
  #loop: Promise<void> | undefined

  constructor(parts: ReplicaPeerParts) {
    this.#parts = parts
    this.other = parts.other
    this.#pulse = linkPulse(parts.clock)
  }

  get linked(): boolean {
    return this.#link?.alive === true
  }

  start(): void {
    this.#loop ??= this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#link?.destroy()
    await this.#loop
    await this.#pulse.stop()
  }

  /** The way to a node that is linked there. */
  reach(nodeId: NodeId): Reach | undefined {
    const link = this.#link
    if (!link?.alive || !this.#nodes.has(nodeId)) return undefined
    return {
      open: (path, body) => link.open(`/${nodeId}${path}`, body),
      openDuplex: (path, order) => link.openDuplex(`/${nodeId}${path}`, order),
      call: (path, body, signal) => link.call(`/${nodeId}${path}`, body, signal),
    }
  }

  /** Asks the replica itself (ReplicaCalls). Fails with NODE_OFFLINE while it is not linked. */
  async call(path: string, body: unknown, signal: AbortSignal): Promise<unknown> {
    if (!this.#link) throw new Fault('NODE_OFFLINE', { at: `Replica ${this.other.url} is not linked.` })
    return await this.#link.call(path, body, signal)
  }

  async #run(): Promise<void> {
    const { clock, random, log, lost } = this.#parts
    const { signal } = this.#stopping
    const backOff = new BackOff({ firstMs: 100, maxMs: 2_000 }, random)
    while (!signal.aborted) {
      try {
        const link = await this.#dial()
        this.#link = link
        link.watch()
        if (signal.aborted) link.destroy()
        this.#follow(link)
        log.info({ replica: this.other.id, url: this.other.url }, 'replica is linked')
        backOff.reset()
        await link.ended
        log.info({ replica: this.other.id }, 'replica is not linked any more')
      } catch (cause) {
        log.debug({ replica: this.other.id, url: this.other.url, err: cause }, 'replica cannot be linked')
      }
      this.#link = undefined
      this.#nodes.clear()
      lost()
      await clock.sleep(backOff.next(), signal).catch(() => undefined)
    }
  }

  #follow(link: Link): void {
    const stream = link.open(NEWS_PATH, '')
    stream.on('error', () => undefined)
    stream.once('close', () => link.destroy())
    const lines = createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })
    lines.on('error', () => undefined)
    lines.on('line', (line) => {
      if (line.length > NEWS_BYTES) return link.destroy()
      const news = ReplicaNews.safeParse(parsed(line))
      // A newer replica may tell of what we do not know.
      if (!news.success) return
      const { data } = news
      if (data.type === 'link') this.#nodes[data.transport ? 'add' : 'delete'](data.node)
      this.#parts.hear(data)
    })
  }

  async #dial(): Promise<Link> {
    const { self, other, key, clock, log } = this.#parts
    const url = new URL(other.url)
    const authorization = await replicaProof(key, self, other.id, clock)
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(LIMITS.dialMs)])
    const socket = await upgraded(url, authorization, signal)
    return new Link({ nodeId: other.id, transport: 'raw', duplex: socket, bytesRead: () => socket.bytesRead, pulse: this.#pulse, log })
  }
}

function upgraded(url: URL, authorization: string, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const path = `${url.pathname.replace(/\/$/, '')}${REPLICA_LINK_PATH}`
    const headers = { authorization, connection: 'Upgrade', upgrade: LINK_PROTOCOL }
    const request = (url.protocol === 'https:' ? https : http).request(url, { method: 'GET', path, headers, agent: false })
    const give = (cause: unknown) => {
      signal.removeEventListener('abort', abort)
      request.destroy()
      reject(cause)
    }
    const abort = () => give(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    request.once('upgrade', (_response, socket: Socket, head) => {
      signal.removeEventListener('abort', abort)
      socket.on('error', () => socket.destroy())
      socket.setNoDelay(true).setTimeout(0)
      if (head.length > 0) socket.unshift(head)
      resolve(socket)
    })
    request.once('response', (response) => give(new Fault('NODE_OFFLINE', { at: `The replica answered ${response.statusCode}.` })))
    request.on('error', give)
    request.end()
  })
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
