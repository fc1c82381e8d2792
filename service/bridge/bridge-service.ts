import { type ClientHttp2Stream, constants } from 'node:http2'
import type { Log } from '@postern/base/log.ts'
import type { Random } from '@postern/base/random.ts'
import type { BridgeAsked, BridgeOrder } from '@postern/protocol/bridge.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { NodeId } from '@postern/protocol/ids.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import { NODE_PATHS } from '@postern/protocol/link.ts'
import { collectBody, faultFromAnswer } from '../links/link-answer.ts'
import type { LinkRegistry } from '../links/link-registry.ts'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import { noNode } from '../queries/choice-faults.ts'
import { choose } from '../queries/choose.ts'
import type { NodeHealth } from '../queries/node-health.ts'
import type { BridgeRepository } from './bridge-repository.ts'

export interface BridgeServiceParts {
  readonly rows: BridgeRepository
  readonly nodes: Pick<NodeDirectory, 'nodesOf' | 'gateway'>
  readonly links: Pick<LinkRegistry, 'open'>
  readonly health: NodeHealth
  readonly random: Random
  readonly log: Log
}

const REFUSAL_BYTES = 1 << 20

/** Joins a task of one gateway to a node of another: checks that the run reads that store, chooses the node, passes bytes on unread. */
export class BridgeService {
  readonly #parts: BridgeServiceParts
  #turn = 0

  constructor(parts: BridgeServiceParts) {
    this.#parts = parts
  }

  /** A stream whose head has come. Fails before anything was passed on, with the last node's fault. */
  async open(node: NodeId, asked: BridgeAsked, signal: AbortSignal): Promise<ClientHttp2Stream> {
    const { rows, nodes, links, log } = this.#parts
    const source = await rows.sourceOf(asked, node)
    if (!source) throw new Fault('ATTEMPT_STALE', { at: 'No attempt of this node reads from another gateway.' })
    const { run, sealed } = asked
    const { gatewayId, from, ...store } = source
    const body = JSON.stringify({ run, store, from, sealed } satisfies BridgeOrder)
    const tried = new Set<string>()
    let last: Fault | undefined
    for (;;) {
      const { order, considered } = choose({
        nodes: nodes.nodesOf(gatewayId),
        // Parts come many at a time: they are spread, whatever is preferred for queries.
        policy: 'least-loaded',
        running: ({ beat }) => beat?.running.length ?? 0,
        health: this.#parts.health,
        turn: this.#turn++,
        random: this.#parts.random,
        sealed: true,
        store,
        tried,
        unlimited: true,
      })
      const [next] = order
      if (!next) throw last ?? noNode(nodes.gateway(gatewayId)?.name ?? gatewayId, considered)
      tried.add(next.id)
      try {
        return await answered(links.open(next.id, NODE_PATHS.bridge, body), signal)
      } catch (cause) {
        last = Fault.from(cause)
        if (signal.aborted || !last.canPass) throw last
        log.info({ run, store: store.name, node: next.name, code: last.code }, 'a node did not take a call of another gateway')
      }
    }
  }
}

/** The stream once its head has come; a refusal as its fault. */
function answered(stream: ClientHttp2Stream, signal: AbortSignal): Promise<ClientHttp2Stream> {
  const late = AbortSignal.any([signal, AbortSignal.timeout(2 * LIMITS.dialMs)])
  return new Promise((resolve, reject) => {
    const settle = () => late.removeEventListener('abort', aborted)
    const fail = (cause: unknown) => {
      settle()
      if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL)
      reject(Fault.from(cause))
    }
    const aborted = () => fail(signal.aborted ? signal.reason : new Fault('TIMED_OUT', { at: 'The node did not answer.' }))
    const gone = () => fail(new Fault('NODE_OFFLINE', { at: 'The link broke before the answer.' }))
    stream.on('error', () => undefined)
    stream.once('close', gone)
    stream.once('response', (headers) => {
      stream.off('close', gone)
      const status = headers[':status'] ?? 0
      if (status !== 200) return void collectBody(stream, REFUSAL_BYTES).then((text) => fail(faultFromAnswer(status, text)), fail)
      settle()
      resolve(stream)
    })
    late.addEventListener('abort', aborted, { once: true })
    if (late.aborted) aborted()
  })
}
