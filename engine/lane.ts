/** Which encoding a copy travels in: pure. */
import type { Encoding, Shape } from '@postern/connectors/contract.ts'
import { Fault } from '@postern/protocol/fault.ts'

export type LaneName = 'binary' | 'text' | 'columnar'

export interface Lane {
  readonly encoding: Encoding
  readonly name: LaneName
  /** Why this one, for a person. */
  readonly note: string
}

export interface LaneQuestion {
  readonly shape: Shape
  readonly sinkKind: string
  /** What the sink takes for this shape at this place, the one it likes best first. */
  readonly accepted: readonly Encoding[]
  readonly to: string
}

/** The first encoding in the sink's order that the source has. PostgreSQL's binary form only between equals. */
export function chooseLane(question: LaneQuestion): Lane {
  const { shape, sinkKind, accepted, to } = question
  const offered = new Set(shape.encodings)
  const encoding = accepted.find((each) => offered.has(each) && (each !== 'pg-binary' || shape.kind === sinkKind))
  if (encoding === undefined) {
    throw new Fault('COPY_UNSUPPORTED', {
      at: `${shape.title} → ${to}: ${shape.kind} gives ${listed(shape.encodings)}, ${sinkKind} takes ${listed(accepted)}`,
    })
  }
  const name = laneName(encoding, shape.kind, sinkKind, to)
  return { encoding, name, note: `Lane ${name}: ${WHY[name]} (${encoding}).` }
}

const WHY = {
  binary: 'both ends have the same kind and types, rows pass in the binary form of the database',
  text: 'rows pass as text and are not parsed on the way',
  columnar: 'DuckDB reads or writes the files',
} as const satisfies Record<LaneName, string>

function laneName(encoding: Encoding, sourceKind: string, sinkKind: string, to: string): LaneName {
  if (encoding === 'pg-binary') return 'binary'
  const columnar = sourceKind === 'files' || (sinkKind === 'files' && !isPlainCsv(to))
  return columnar ? 'columnar' : 'text'
}

/** CSV text is written as it comes, compressed or not. */
function isPlainCsv(path: string): boolean {
  return /\.csv(?:\.(?:gz|zst))?\/?$/i.test(path)
}

function listed(encodings: readonly Encoding[]): string {
  return encodings.length === 0 ? 'nothing' : encodings.join(', ')
}
