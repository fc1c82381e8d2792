/** Rows that are left out of a copy. Part of the contract (copy-contract.ts). Nothing here does I/O. */

/** A row that the target does not take, or that the source cannot read. */
export interface SkippedRow {
  /** In the part, from 1. */
  readonly row: number
  readonly column: string | null
  /** What the store says of it: its code, and in words. */
  readonly code: string
  readonly error: string
  /** As it came, in the target's encoding, without the line's end. */
  readonly bytes: Buffer
}

/** Settles when the next row may come. Throws when it is one too many. */
export type LeftOut = (row: SkippedRow) => Promise<void>

export interface Skip {
  /** `row` counts those that came: the ones that the source left out are not among them. */
  readonly left: LeftOut
  /** So far, with those that the source left out: what a commit says is skipped. */
  readonly count: number
  /** To be awaited after `agree` and before the commit: the rows left out are then safe, so that they count if and only if the part does. */
  settle(): Promise<void>
}
