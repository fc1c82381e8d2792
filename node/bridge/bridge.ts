import type { Clock } from '@postern/base/clock.ts'
import type { OpenStore } from '@postern/engine/engine.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { SourceRef } from '@postern/protocol/node-api.ts'
import type { TaskOrder } from '@postern/protocol/task-api.ts'
import type { ServiceClient } from '../calls/service-client.ts'
import { connectorOf } from '../stores/store-credentials.ts'
import { BridgeClient } from './bridge-client.ts'
import { RemoteSource } from './remote-source.ts'

interface BridgeParts {
  readonly service: ServiceClient
  readonly clock: Clock
}

/** Stores of other gateways, as the engine opens stores. */
export class Bridge {
  readonly #client: BridgeClient

  constructor(parts: BridgeParts) {
    this.#client = new BridgeClient(parts)
  }

  /** Undefined for a store of this node's own gateway. Opens nothing: each call goes its own way. */
  open(ref: SourceRef, order: TaskOrder): Promise<OpenStore> | undefined {
    return ref.remote && this.#open(ref, ref.remote, order)
  }

  async #open(ref: SourceRef, remote: NonNullable<SourceRef['remote']>, order: TaskOrder): Promise<OpenStore> {
    if (remote.publicKey === '') throw new Fault('NO_NODE_AVAILABLE', { at: `The gateway of ${ref.name} has had no node yet.` })
    const connector = await connectorOf(remote.kind)
    const { run, task, attempt } = order
    const snapshots = connector.can.source?.snapshot === true
    const source = new RemoteSource({ client: this.#client, caller: { run, task, attempt, publicKey: remote.publicKey }, snapshots })
    const unreachable = () => Promise.reject(new Fault('COPY_UNSUPPORTED', { at: `${ref.name} belongs to another gateway` }))
    return { connector, session: { source, check: unreachable, browse: unreachable, [Symbol.asyncDispose]: async () => undefined } }
  }
}
