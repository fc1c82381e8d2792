import type { Session } from '@postern/connectors/contract.ts'
import type { Sink, Source } from '@postern/connectors/copy-contract.ts'
import type { Copy } from '@postern/protocol/api/runs.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { TaskOrder } from '@postern/protocol/task-api.ts'
import type { End } from './guarantee.ts'

/** A store's shared session and what its connector claims. The engine never disposes the session. */
export interface OpenStore {
  readonly connector: End
  readonly session: Session
}

/** The two ends of an order, open. */
export interface Pair {
  readonly copy: Copy
  readonly from: End
  readonly into: End
  readonly source: Source
  readonly sink: Sink
}

export function pairOf(order: TaskOrder, source: OpenStore, sink: OpenStore): Pair {
  const { copy } = order
  if (!source.session.source || !source.connector.can.source) {
    throw new Fault('COPY_UNSUPPORTED', { at: `${copy.source}: a store of kind ${source.connector.kind} cannot be read by a copy` })
  }
  return { copy, from: source.connector, into: sink.connector, source: source.session.source, sink: sinkOf(copy, sink) }
}

export function sinkOf(copy: { readonly sink: string }, { connector, session }: OpenStore): Sink {
  if (session.sink && connector.can.sink) return session.sink
  throw new Fault('COPY_UNSUPPORTED', { at: `${copy.sink}: a store of kind ${connector.kind} cannot be written by a copy` })
}
