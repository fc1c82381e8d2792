/** What a store that answers statements, or is spoken to in its own protocol, gives and takes. Part of the contract (contract.ts). */
import type { Duplex, Readable } from 'node:stream'
import type { QueryFormat } from '@postern/protocol/api/queries.ts'

export interface Statement {
  readonly sql: string
  readonly params: readonly (string | number | boolean | null)[]
  /** `read` runs in a read-only transaction. */
  readonly mode: 'read' | 'write'
  readonly maxRows?: number | undefined
  /** The store itself ends the statement after so long, where it can: also when nobody is there any more to cancel it. */
  readonly timeoutMs?: number | undefined
  readonly format: QueryFormat
}

/**
 * Rows as bytes, read only as fast as they are taken. Destroying `bytes`, or the signal, cancels the statement in the store.
 * A failure after the first byte is `bytes`' error, always a Fault.
 */
export interface Answer {
  readonly bytes: Readable
  /** All of `bytes`, where they are there already: a small answer needs no stream. Who takes it leaves `bytes` alone. */
  readonly whole?: Buffer
  /** Rows sent so far. */
  rows(): number
}

/** A connection in the store's own protocol, ready for the first statement. */
export interface WireConnection {
  readonly socket: Duplex
  /** What the server said while signing in and the client must hear: its parameters, and that it is ready. */
  readonly greeting: Buffer
  /** Asks the server to stop what runs. Never fails. */
  cancel(): Promise<void>
}

/** Faults that a store can only raise before it has seen the statement: safe to try on another node. */
export const BEFORE_STORE: ReadonlySet<string> = new Set([
  'STORE_UNREACHABLE',
  'STORE_BUSY',
  'STORE_DENIED',
  'CREDENTIAL_UNREADABLE',
  'REFERENCE_INVALID',
  'REFERENCE_DENIED',
  'REFERENCE_MISSING',
  'REFERENCE_UNREACHABLE',
  'VAULT_DENIED',
  'STORE_UNKNOWN',
  'GATEWAY_AT_LIMIT',
  'STOPPING',
  'NODE_OFFLINE',
  'SERVICE_UNREACHABLE',
])
