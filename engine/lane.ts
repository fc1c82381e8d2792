/** Which encoding a copy travels in, and what its way is called: pure. */
import type { Encoding, Shape, Target } from '@postern/connectors/copy-contract.ts'
import { Fault } from '@postern/protocol/fault.ts'

export type LaneName = 'file' | 'binary' | 'text' | 'columnar'

export interface Lane {
  readonly name: LaneName
  /** Why this one, for a person. */
  readonly note: string
}

export interface EncodingQuestion {
  readonly shape: Shape
  readonly sinkKind: string
  /** What the sink takes for this shape at this place. */
  readonly accepted: readonly Encoding[]
  readonly to: string
}

const CHEAPEST_FIRST: readonly Encoding[] = ['file', 'pg-binary', 'pg-text', 'csv-raw', 'csv']

/**
 * The encodings that both ends have, cheapest first; PostgreSQL's binary form only between equal kinds. Which one suits the
 * target shows when it is prepared: the sink chooses.
 */
export function commonEncodings({ shape, sinkKind, accepted, to }: EncodingQuestion): readonly [Encoding, ...Encoding[]] {
  const common = CHEAPEST_FIRST.filter((each) => shape.encodings.includes(each) && accepted.includes(each))
  const [first, ...others] = common.filter((each) => each !== 'pg-binary' || shape.kind === sinkKind)
  if (first !== undefined) return [first, ...others]
  throw new Fault('COPY_UNSUPPORTED', {
    at: `${shape.title} → ${to}: ${shape.kind} gives ${listed(shape.encodings)}, ${sinkKind} takes ${listed(accepted)}`,
  })
}

export interface Way {
  readonly sourceKind: string
  readonly target: Pick<Target, 'title' | 'encoding' | 'converts'>
}

/** What the way of the bytes is called. */
export function laneOf({ sourceKind, target }: Way): Lane {
  const { encoding } = target
  const columnar = encoding !== 'csv-raw' && (sourceKind === 'files' || (target.converts ?? isConverted(target.title)))
  const name: LaneName = encoding === 'file' ? 'file' : encoding === 'pg-binary' ? 'binary' : columnar ? 'columnar' : 'text'
  return { name, note: `Lane ${name}: ${WHY[name]} (${encoding}).` }
}

const WHY = {
  file: 'both ends hold files of the same form, they are copied as they are and not read',
  binary: 'both ends have the same kind and types, rows pass in the binary form of the database',
  text: 'rows pass as text and are not parsed on the way',
  columnar: 'DuckDB reads or writes the files',
} as const satisfies Record<LaneName, string>

/** Where the sink does not say: by the ending. CSV text is written as it comes, compressed or not. */
function isConverted(path: string): boolean {
  return /\.(?:parquet|tsv|(?:ndjson|jsonl))(?:\.(?:gz|zst))?\/?$/i.test(path)
}

function listed(encodings: readonly Encoding[]): string {
  return encodings.length === 0 ? 'nothing' : encodings.join(', ')
}
