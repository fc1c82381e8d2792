import type { EncoderMaker } from '../formats/formats.ts'
import type { Statement } from '../query-contract.ts'
import type { TextCounts } from './statement-names.ts'
import type { Wire } from './wire.ts'

export interface QueryParts {
  readonly wire: Wire
  readonly statement: Statement
  readonly makeEncoder: EncoderMaker
  readonly place: string
  /** The wire is free; `clean` as in Pool.release. */
  readonly free: (clean: boolean) => void
  /** Stops what runs on the wire, in the database, and takes the wire out of use. */
  readonly cancel: () => void
  readonly texts: TextCounts
}
