/** What a connector's own test brings to the contract suite. */
import type { Connector } from '@postern/connectors/contract.ts'
import type { StoreSettings } from '@postern/protocol/api/stores.ts'

export interface StoreAccess {
  readonly settings: StoreSettings
  readonly secrets?: Readonly<Record<string, string>>
}

/** A real store with room for tests, and eyes of its own to look into it. */
export interface ConnectorRig extends AsyncDisposable {
  readonly connector: Connector
  readonly access: StoreAccess
  readonly scratch: string
  /** Access that must fail, and with which fault. */
  readonly failing: readonly { readonly why: string; readonly access: StoreAccess; readonly code: string }[]
  readonly queries?: QueryRig
  readonly source?: SourceRig
  readonly sink?: SinkRig
}

export interface QueryRig {
  /** Answers one row, n = 1. */
  readonly one: string
  /** Answers so many rows of about 1 KB: enough to fill every buffer on the way. */
  many(rows: number): string
  /** Would run for a minute; `marker` is found by `running`. */
  slow(marker: string): string
  /** How many statements with this text the store is executing now. */
  running(marker: string): Promise<number>
  /** Changes data. */
  readonly change: string
  readonly broken: string
}

export interface SourceRig {
  /** Makes something with columns id (whole, 1…rows, unique) and name (text); returns WHAT. */
  fill(name: string, rows: number): Promise<string>
  /** WHAT whose columns have all types of the store, with nasty values. */
  types?(): Promise<string>
  /** Adds one row to what `fill` made. */
  addRow?(what: string): Promise<void>
  /** WHAT that is not there. */
  readonly missing: string
}

export interface SinkRig {
  /** WHERE for a new target of this name. */
  where(name: string): string
  /** Rows that a reader of the target sees; 0 where there is none. */
  count(where: string): Promise<number>
  /** Names of all that is not a published target: staging tables, temporary files. Commit records do not count. */
  residue(): Promise<readonly string[]>
}
