import { type ClientHttp2Stream, constants } from 'node:http2'
import type { Duplex } from 'node:stream'
import type { Clock } from '@postern/base/clock.ts'
import type { Random } from '@postern/base/random.ts'
import type { Labels } from '@postern/protocol/api/gateways.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { GatewayId, StoreId } from '@postern/protocol/ids.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import { DATA_HEADER } from '@postern/protocol/link.ts'
import { collectBody, faultFromAnswer } from '../links/link-answer.ts'
import type { LinkRegistry } from '../links/link-registry.ts'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import type { NodeFacts } from '../nodes/node-facts.ts'
import type { Admission } from '../queries/admission.ts'
import { atLimit, noNode } from '../queries/choice-faults.ts'
import { choose, type LimitName } from '../queries/choose.ts'
import type { NodeHealth } from '../queries/node-health.ts'
import type { DataDoor, DataOffer } from './data-door.ts'
import type { SessionRecord } from './session-record.ts'

export interface NodeStreamParts {
  readonly nodes: Pick<NodeDirectory, 'nodesOf' | 'gateway'>
  readonly links: Pick<LinkRegistry, 'openDuplex'>
  readonly data: Pick<DataDoor, 'offer'>
  readonly admission: Admission
  readonly health: NodeHealth
  readonly clock: Clock
  readonly random: Random
}

export interface StreamAsked {
  readonly gatewayId: GatewayId
  readonly sealed: boolean
  /** Whose version a node must have. */
  readonly store: { readonly id: StoreId; readonly version: number }
  /** Only nodes that carry all of these. */
  readonly labels: Labels
  readonly path: string
  readonly order: object
  readonly record: SessionRecord
}

/** A connection by way of a node. It holds a place among the node's queries until `release`. */
export interface NodeStream {
  readonly stream: ClientHttp2Stream
  /** The bytes, where the node dialled a connection for them; else they are on the stream. */
  readonly data: Duplex | undefined
  readonly node: NodeFacts
  release(): void
}

const REFUSAL_BYTES = 1 << 20

/** Opens connections to stores, each by the node that the gateway's policy says, and by the next where one fails: nothing has been asked yet. */
export class NodeStreams {
  readonly #parts: NodeStreamParts
  readonly #turns = new Map<GatewayId, number>()

  constructor(parts: NodeStreamParts) {
    this.#parts = parts
  }

  async open(asked: StreamAsked, signal: AbortSignal): Promise<NodeStream> {
    const { admission, links, data: door } = this.#parts
    const { gatewayId, record } = asked
    const tried = new Set<string>()
    const turn = this.#turn(gatewayId)
    let last: Fault | undefined
    for (;;) {
      const node = await this.#admit(asked, { tried, turn, last, signal })
      const release = once(() => admission.release(gatewayId, node.id))
      record.node = node.name
      tried.add(node.id)
      const offer = door.offer(node.id)
      try {
        const stream = links.openDuplex(node.id, asked.path, { ...asked.order, ticket: offer.ticket })
        const beside = await answered(stream, AbortSignal.any([signal, AbortSignal.timeout(2 * LIMITS.dialMs)]))
        const data = beside ? taken(offer, stream) : undefined
        if (!beside) offer.withdraw()
        return { stream, data, node, release }
      } catch (cause) {
        offer.withdraw()
        release()
        last = Fault.from(cause)
        if (signal.aborted || last.kind === 'input' || last.kind === 'bug') throw last
        if (last.canPass) this.#parts.health.failed(node.id)
        record.passed.push({ node: node.name, fault: `${last.code}: ${last.message}` })
      }
    }
  }

  async #admit(
    { gatewayId, sealed, store, labels, record }: StreamAsked,
    how: { readonly tried: ReadonlySet<string>; readonly turn: number; readonly last: Fault | undefined; readonly signal: AbortSignal },
  ): Promise<NodeFacts> {
    const { admission, nodes, health, clock, random } = this.#parts
    const from = clock.monotonic()
    let full: LimitName | null = null
    const pick = () => {
      const { order, considered, limit } = choose({
        nodes: nodes.nodesOf(gatewayId),
        policy: nodes.gateway(gatewayId)?.settings.policy ?? 'primary-first',
        running: (node) => admission.running(node.id),
        health,
        labels,
        turn: how.turn,
        random,
        sealed,
        store,
        tried: how.tried,
      })
      if (how.tried.size === 0) record.candidates = considered
      full = limit
      if (order[0] || limit) return order[0]
      throw how.last ?? noNode(record.gateway, considered)
    }
    try {
      return await admission.admit({
        gatewayId,
        caller: record.caller,
        kind: `${record.kind} ${record.storeId} ${[...how.tried].join(' ')}`,
        pick,
        full: () => atLimit(full),
        timeoutMs: nodes.gateway(gatewayId)?.settings.queueTimeoutMs ?? 0,
        signal: () => how.signal,
      })
    } finally {
      record.queuedMs += clock.monotonic() - from
    }
  }

  #turn(gatewayId: GatewayId): number {
    const turn = this.#turns.get(gatewayId) ?? 0
    this.#turns.set(gatewayId, turn + 1)
    return turn
  }
}

function taken(offer: DataOffer, stream: ClientHttp2Stream): Duplex {
  try {
    return offer.take()
  } catch (cause) {
    stream.close(constants.NGHTTP2_CANCEL)
    throw cause
  }
}

/** Settles when the node says that the connection stands, with whether its bytes go beside; fails with what it says instead. */
function answered(stream: ClientHttp2Stream, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) => {
      signal.removeEventListener('abort', aborted)
      if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL)
      reject(Fault.from(cause))
    }
    const aborted = () => {
      const fault = Fault.from(signal.reason)
      fail(fault.code === 'INTERNAL' ? new Fault('TIMED_OUT', { at: 'The node did not answer.' }) : fault)
    }
    const gone = () => fail(new Fault('NODE_OFFLINE', { at: 'The link broke before the connection stood.' }))
    stream.on('error', () => undefined)
    stream.once('close', gone)
    stream.once('response', (headers) => {
      stream.off('close', gone)
      const status = headers[':status'] ?? 0
      if (status !== 200) return void collectBody(stream, REFUSAL_BYTES).then((body) => fail(faultFromAnswer(status, body)), fail)
      signal.removeEventListener('abort', aborted)
      resolve(headers[DATA_HEADER] === 'beside')
    })
    signal.addEventListener('abort', aborted, { once: true })
    if (signal.aborted) aborted()
  })
}

function once(act: () => void): () => void {
  let done = false
  return () => {
    if (done) return
    done = true
    act()
  }
}
