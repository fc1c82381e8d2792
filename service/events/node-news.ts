import type { Component } from '@postern/base/lifecycle.ts'
import type { NodeId } from '@postern/protocol/ids.ts'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import type { NodeChange } from '../nodes/node-facts.ts'
import type { Admission } from '../queries/admission.ts'
import type { NodeHealth } from '../queries/node-health.ts'
import type { EventBus } from './event-bus.ts'

export interface NodeNewsParts {
  readonly nodes: Pick<NodeDirectory, 'onChange'>
  readonly events: EventBus
  readonly admission: Pick<Admission, 'wake'>
  readonly health: Pick<NodeHealth, 'forget'>
  readonly links: { drop(node: NodeId): void }
}

/** Passes on what the directory learns of nodes: to listeners, to queries that wait for a place, to the link of a deleted node. */
export class NodeNews implements Component {
  readonly name = 'node-news'
  readonly #parts: NodeNewsParts
  #forget: (() => void) | undefined

  constructor(parts: NodeNewsParts) {
    this.#parts = parts
  }

  async start(): Promise<void> {
    this.#forget ??= this.#parts.nodes.onChange((change) => this.#tell(change))
  }

  async stop(): Promise<void> {
    this.#forget?.()
  }

  #tell({ type, node }: NodeChange): void {
    const { events, admission, health, links } = this.#parts
    admission.wake(node.gatewayId)
    if (type === 'deleted') {
      links.drop(node.id)
      health.forget(node.id)
    }
    const now =
      type === 'deleted' ? ({ status: 'offline', reasons: ['was deleted'] } as const) : { status: node.status, reasons: node.statusReasons }
    events.publish({ type: 'node', gateway: node.gateway, node: node.name, status: now.status, reasons: [...now.reasons] })
  }
}
