import type { QueryFormat } from '@postern/protocol/api/queries.ts'
import { CsvEncoder } from './csv.ts'
import type { CellColumn, RowEncoder } from './encoder.ts'
import { JsonEncoder } from './json.ts'

/** Called once the columns are known. */
export type EncoderMaker = (columns: readonly CellColumn[]) => RowEncoder

const JSON_MAKER: EncoderMaker = (columns) => new JsonEncoder(columns, 'json')
const NDJSON_MAKER: EncoderMaker = (columns) => new JsonEncoder(columns, 'ndjson')
const CSV_MAKER: EncoderMaker = (columns) => new CsvEncoder(columns, { header: true })

/** Loads what the format needs (Arrow's library is large), so that rows are then encoded without waiting. */
export function encoderMaker(format: QueryFormat): EncoderMaker | Promise<EncoderMaker> {
  switch (format) {
    case 'json':
      return JSON_MAKER
    case 'ndjson':
      return NDJSON_MAKER
    case 'csv':
      return CSV_MAKER
    case 'arrow':
      return import('./arrow.ts').then(
        ({ ArrowEncoder }) =>
          (columns) =>
            new ArrowEncoder(columns),
      )
    default:
      return format satisfies never
  }
}
