import {
  type AsyncByteQueue,
  Binary,
  Bool,
  type Data,
  type DataType,
  DateDay,
  Field,
  Float32,
  Float64,
  Int16,
  Int32,
  Int64,
  makeData,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  TimeMicrosecond,
  TimestampMicrosecond,
  Utf8,
} from 'apache-arrow'
import { ArrowColumn, type CellWriter } from './arrow-column.ts'
import { ByteWriter } from './byte-writer.ts'
import { type CellColumn, distinctNames, type RowEncoder } from './encoder.ts'

/** A batch is closed at so many rows or bytes: what a reader must hold at once. */
const BATCH_ROWS = 8_192
const BATCH_BYTES = 1_048_576

/** Arrow IPC stream. Decimals, json, arrays and what else has no plain Arrow type are text. */
export class ArrowEncoder implements RowEncoder {
  readonly out = new ByteWriter()
  readonly #schema: Schema
  readonly #writer: StreamWriter
  readonly #types: readonly DataType[]
  readonly #columns: readonly ArrowColumn[]
  #rows = 0
  #bytes = 0

  constructor(columns: readonly CellColumn[]) {
    const names = distinctNames(columns.map((column) => column.name))
    this.#types = columns.map(arrowType)
    this.#schema = new Schema(this.#types.map((type, i) => new Field(names[i] ?? '', type, true)))
    this.#columns = columns.map((column) => new ArrowColumn(cellWriter(column), column.binary))
    this.#writer = new StreamWriter(this.out)
    this.#writer.reset(undefined, this.#schema)
  }

  row(data: Buffer, cells: Int32Array): void {
    for (let i = 0; i < this.#columns.length; i += 1) {
      const start = cells[2 * i] ?? -1
      const end = start < 0 ? start : (cells[2 * i + 1] ?? start)
      this.#columns[i]?.push(data, start, end)
      this.#bytes += end - start + 4
    }
    this.#rows += 1
    if (this.#rows >= BATCH_ROWS || this.#bytes >= BATCH_BYTES) this.#closeBatch()
  }

  end(): void {
    if (this.#rows > 0) this.#closeBatch()
    this.#writer.finish()
  }

  #closeBatch(): void {
    const children = this.#types.map((type, i) => this.#data(type, i))
    const struct = makeData({ type: new Struct(this.#schema.fields), length: this.#rows, nullCount: 0, children })
    this.#writer.write(new RecordBatch(this.#schema, struct))
    for (const column of this.#columns) column.reset()
    this.#rows = 0
    this.#bytes = 0
  }

  #data(type: DataType, i: number): Data {
    const column = this.#columns[i]
    if (!column) throw new RangeError(`no column ${i}`)
    const shared = { type, length: column.length, nullCount: column.nullCount, nullBitmap: column.validity(), data: column.values() }
    const offsets = column.offsets()
    // One object for all types: what makeData takes depends on the type, which TypeScript cannot follow here.
    return makeData((offsets ? { ...shared, valueOffsets: offsets } : shared) as never) as Data
  }
}

/** Writes into our buffer at once, instead of into a queue that is read later. */
class StreamWriter extends RecordBatchStreamWriter {
  constructor(out: ByteWriter) {
    super()
    const sink = {
      write: (bytes: Uint8Array) => out.bytes(bytes),
      close: () => undefined,
      abort: () => undefined,
      closed: Promise.resolve(),
    }
    this._sink = sink as unknown as AsyncByteQueue
  }
}

function arrowType({ kind, bits }: CellColumn): DataType {
  switch (kind) {
    case 'bool':
      return new Bool()
    case 'int':
      return bits === 16 ? new Int16() : bits === 32 ? new Int32() : new Int64()
    case 'float':
      return bits === 32 ? new Float32() : new Float64()
    case 'date':
      return new DateDay()
    case 'time':
      return new TimeMicrosecond()
    case 'timestamp':
      return new TimestampMicrosecond()
    case 'timestamptz':
      return new TimestampMicrosecond('UTC')
    case 'bytes':
      return new Binary()
    case 'decimal':
    case 'json':
    case 'uuid':
    case 'array':
    case 'text':
      return new Utf8()
    default:
      return kind satisfies never
  }
}

function cellWriter({ kind, bits }: CellColumn): CellWriter {
  switch (kind) {
    case 'bool':
      return 'bool'
    case 'int':
      return bits === 16 ? 'int16' : bits === 32 ? 'int32' : 'int64'
    case 'float':
      return bits === 32 ? 'float32' : 'float64'
    case 'date':
      return 'date'
    case 'time':
      return 'time'
    case 'timestamp':
    case 'timestamptz':
      return 'timestamp'
    case 'bytes':
      return 'bytes'
    case 'decimal':
    case 'json':
    case 'uuid':
    case 'array':
    case 'text':
      return 'text'
    default:
      return kind satisfies never
  }
}
