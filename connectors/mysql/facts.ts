/** What the sink decided while preparing: `Target.own`. */
import type { Column, Digest, Prepare, Target } from '../copy-contract.ts'

export interface TargetFacts {
  readonly database: string
  readonly table: string
  readonly mode: Prepare['mode']
  readonly key: readonly string[]
  /** Where the parts go until they are published; null: straight into the table. */
  readonly staging: string | null
  /** This run has made the table. */
  readonly created: boolean
  /** What the table held before, where `digest` has to take it off. */
  readonly baseline: Digest | null
  /** The source's columns: what their text looks like. */
  readonly from: readonly Column[]
  /** The source has no type for bytes: text that begins with \\x may be some. */
  readonly hexText: boolean
  /** Of rows that are appended: those that come again can take the place of those with the same key. */
  readonly byKey?: boolean
  /** Of rows that are upserted: the table had none. */
  readonly alone?: boolean
  /** Of an overwrite: what makes rows one in the source, by its names in the target. Only columns that an index can hold. */
  readonly sourceKey?: readonly string[]
}

export const factsOf = (target: Target) => target.own as TargetFacts
