/** Which columns a checksum can compare, and as what type each side shall read them: pure. */
import type { Column, LogicalType } from '@postern/connectors/copy-contract.ts'

export interface Comparable {
  readonly source: readonly Column[]
  readonly target: readonly Column[]
  /** Columns whose values have no common canonical text, with the two types. */
  readonly leftOut: readonly string[]
}

/** Canonical text is the same for all of a family (connectors/digest.ts). */
const FAMILY: Readonly<Record<LogicalType['is'], string>> = {
  bool: 'bool',
  int16: 'whole',
  int32: 'whole',
  int64: 'whole',
  decimal: 'decimal',
  float32: 'float32',
  float64: 'float64',
  text: 'text',
  bytes: 'bytes',
  date: 'date',
  time: 'time',
  timestamp: 'moment',
  timestamptz: 'moment',
  uuid: 'uuid',
  json: 'json',
  other: 'other',
}

/** Whose text is also what they become in a text column. */
const AS_TEXT: ReadonlySet<string> = new Set(['bool', 'whole', 'text', 'uuid', 'json', 'other'])

export function comparable(source: readonly Column[], target: readonly Column[]): Comparable {
  const pairs = source.map((column, index) => ({ from: column, pair: pairUp(column, target[index]), into: target[index] }))
  return {
    source: pairs.flatMap(({ pair }) => (pair ? [pair.source] : [])),
    target: pairs.flatMap(({ pair }) => (pair ? [pair.target] : [])),
    leftOut: pairs.flatMap(({ from, pair, into }) => (pair ? [] : [`${from.name} (${from.native} → ${into?.native ?? 'nothing'})`])),
  }
}

interface Pair {
  readonly source: Column
  readonly target: Column
}

function pairUp(source: Column, target: Column | undefined): Pair | undefined {
  if (target === undefined) return undefined
  const [from, into] = [FAMILY[source.type.is], FAMILY[target.type.is]]
  if (numeric(from) && numeric(into)) return sameScale(source, target)
  // A jsonb target, and a line of NDJSON, write the value anew: spaces and the order of its members change.
  if (into === 'json' && ['jsonb', 'json line'].includes(target.native) && source.native !== target.native) return undefined
  // character(n) pads.
  if (/^(?:character\(|bpchar)/.test(target.native) && source.native !== target.native) return undefined
  if (from === into) return { source, target }
  return (into === 'text' || into === 'other') && AS_TEXT.has(from) ? { source, target } : undefined
}

function numeric(family: string): boolean {
  return family === 'whole' || family === 'decimal'
}

/** Whole numbers and decimals of different scales compare at the larger scale; without a bound only with their like. */
function sameScale(source: Column, target: Column): Pair | undefined {
  const [from, into] = [scaleOf(source), scaleOf(target)]
  if (from === undefined || into === undefined) return from === into ? { source, target } : undefined
  if (from === into) return { source, target }
  const type: LogicalType = { is: 'decimal', scale: Math.max(from, into) }
  return { source: { ...source, type }, target: { ...target, type } }
}

function scaleOf({ type }: Column): number | undefined {
  return type.is === 'decimal' ? type.scale : 0
}
