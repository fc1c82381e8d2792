import type { Duplex } from 'node:stream'
import type { Log } from '@postern/base/log.ts'
import type { Labels } from '@postern/protocol/api/gateways.ts'
import type { QueryLimits } from '@postern/protocol/api/query-limits.ts'
import type { Fault } from '@postern/protocol/fault.ts'
import type { GatewayId, StoreId } from '@postern/protocol/ids.ts'
import { NODE_PATHS } from '@postern/protocol/link.ts'
import type { AuditNotes } from '../audit/audit-notes.ts'
import type { Caller } from '../rights/caller.ts'
import type { NodeStreams } from './node-streams.ts'
import type { NewSession, SessionBook } from './session-book.ts'
import type { SessionKey } from './wire-messages.ts'

/** What a connection must know of a store; found without SQL. */
export interface SessionStore {
  readonly id: StoreId
  readonly name: string
  readonly version: number
  readonly kind: string
  readonly gatewayId: GatewayId
  readonly sealed: string | null
  readonly settings: Readonly<Record<string, unknown>>
  readonly nodeLabels: Labels
  readonly limits: QueryLimits
}

export interface SessionOpenerParts {
  readonly book: SessionBook
  readonly streams: NodeStreams
  readonly notes: Pick<AuditNotes, 'note'>
  readonly log: Log
}

export interface SessionAsked extends Pick<NewSession, 'kind' | 'application' | 'address'> {
  readonly caller: Pick<Caller, 'id' | 'name' | 'principal' | 'limits'>
  /** Rejects once the caller may not be there any more. */
  readonly stillMay?: () => Promise<unknown>
  readonly store: SessionStore
  /** Of the wire: what the client said at its start. */
  readonly parameters?: Readonly<Record<string, string>>
  /** The node has the connection: what the client is told before the store's first byte; its socket. */
  readonly accept: (key: SessionKey) => Duplex | Promise<Duplex>
  /** Aborts when the client leaves before that. */
  readonly signal: AbortSignal
}

/** One connection from its place in the book to its end: the same for the wire and for `postern connect`. */
export class SessionOpener {
  readonly #parts: SessionOpenerParts

  constructor(parts: SessionOpenerParts) {
    this.#parts = parts
  }

  /** Settles when the connection has ended. Fails only before `accept`. */
  async run(asked: SessionAsked): Promise<void> {
    const { book, streams, notes, log } = this.#parts
    const { kind, application, address, store, parameters, signal } = asked
    const { id: callerId, name: caller, principal } = asked.caller
    const { id, name, version, gatewayId } = store
    const { session, key } = book.add(
      { kind, store: name, storeId: id, gatewayId, caller, callerId, principal, application, address },
      { ofStore: store.limits.connections, ofToken: asked.caller.limits.connections },
      asked.stillMay,
    )
    const { record } = session
    const about = { who: caller, whoId: principal, target: `store ${name}`, ip: address }
    let release: (() => void) | undefined
    try {
      const order = { session: record.id, store: { id, name, version }, ...(kind === 'wire' ? { parameters: parameters ?? {} } : {}) }
      const path = kind === 'wire' ? NODE_PATHS.wire : NODE_PATHS.connect
      const sealed = kind === 'wire' && store.sealed !== null
      const opened = await streams.open({ gatewayId, sealed, store, labels: store.nodeLabels, path, order, record }, signal)
      release = opened.release
      record.nodeId = opened.node.id
      record.way = opened.data ? 'own' : 'link'
      const running = session.run(await asked.accept(key), opened)
      book.opened(session)
      notes.note({ ...about, action: 'session.open', details: { id: record.id, kind, application, node: record.node } })
      await running
      const { bytesIn, bytesOut } = record
      log.info({ session: record.id, kind, store: name, caller, node: record.node, bytesIn, bytesOut }, 'session ended')
      const why = session.ended ? { ended: session.ended.message } : {}
      notes.note({ ...about, action: 'session.close', details: { id: record.id, bytesIn, bytesOut, ...why } })
    } catch (cause) {
      const code = (cause as Fault).code ?? 'INTERNAL'
      log.info({ session: record.id, kind, store: name, caller, fault: code }, 'session refused')
      notes.note({ ...about, action: 'session.open', outcome: 'failed', details: { id: record.id, kind, application, code } })
      throw cause
    } finally {
      release?.()
      book.remove(session)
    }
  }
}
