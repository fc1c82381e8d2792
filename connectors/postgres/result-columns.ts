import type { CellColumn, CellKind } from '../formats/encoder.ts'
import { int32 } from '../formats/int32.ts'

type Kind = Pick<CellColumn, 'kind' | 'element' | 'bits'>

const INT16: Kind = { kind: 'int', bits: 16 }
const INT32: Kind = { kind: 'int', bits: 32 }
const INT64: Kind = { kind: 'int', bits: 64 }
const array = (element: CellKind): Kind => ({ kind: 'array', element })

/** By the type's OID, which is the same in every server. What is not here (enums, extensions, ranges) shows as its text. */
const KINDS: ReadonlyMap<number, Kind> = new Map([
  [16, { kind: 'bool' }],
  [17, { kind: 'bytes' }],
  [21, INT16],
  [23, INT32],
  [20, INT64],
  [26, INT64], // oid
  [700, { kind: 'float', bits: 32 }],
  [701, { kind: 'float', bits: 64 }],
  [1700, { kind: 'decimal' }],
  [114, { kind: 'json' }],
  [3802, { kind: 'json' }],
  [1082, { kind: 'date' }],
  [1083, { kind: 'time' }],
  [1114, { kind: 'timestamp' }],
  [1184, { kind: 'timestamptz' }],
  [2950, { kind: 'uuid' }],
  [1000, array('bool')],
  [1001, array('bytes')],
  [1005, array('int')],
  [1007, array('int')],
  [1016, array('int')],
  [1021, array('float')],
  [1022, array('float')],
  [1231, array('decimal')],
  [199, array('json')],
  [3807, array('json')],
  [1002, array('text')],
  [1003, array('text')],
  [1009, array('text')],
  [1014, array('text')],
  [1015, array('text')],
  [1182, array('date')],
  [1183, array('time')],
  [1115, array('timestamp')],
  [1185, array('timestamptz')],
  [2951, array('uuid')],
])

export interface FieldType {
  readonly name: string
  readonly oid: number
  readonly typmod: number
}

/** The body of a RowDescription frame. */
export function readFields(buffer: Buffer, start: number): readonly FieldType[] {
  const count = buffer.readInt16BE(start)
  const fields: FieldType[] = []
  let at = start + 2
  for (let i = 0; i < count; i += 1) {
    const stop = buffer.indexOf(0, at)
    const name = buffer.toString('utf8', at, stop)
    fields.push({ name, oid: buffer.readUInt32BE(stop + 7), typmod: buffer.readInt32BE(stop + 13) })
    at = stop + 19
  }
  return fields
}

/** bool, bytea, int8, int2, int4, float4, float8, date, time, timestamp, timestamptz: their binary form is plain, and cheap on both sides. */
const BINARY: ReadonlySet<number> = new Set([16, 17, 20, 21, 23, 700, 701, 1082, 1083, 1114, 1184])

/** `binary`: columns of the types that have a plain binary form are to come in it. */
export function cellColumns(fields: readonly FieldType[], binary = false): readonly CellColumn[] {
  return fields.map(({ name, oid }) => ({
    name,
    ...(KINDS.get(oid) ?? { kind: 'text' }),
    ...(binary && BINARY.has(oid) ? { binary } : {}),
  }))
}

/** Where the cells of a DataRow stand: as RowEncoder.row takes them. */
export function readCells(buffer: Buffer, start: number, cells: Int32Array): void {
  let at = start + 2
  for (let i = 0; i < cells.length; i += 2) {
    const length = int32(buffer, at)
    at += 4
    if (length < 0) {
      cells[i] = -1
      continue
    }
    cells[i] = at
    at += length
    cells[i + 1] = at
  }
}
