import type { Skip, SkippedRow } from '@postern/connectors/copy-contract.ts'
import { Fault } from '@postern/protocol/fault.ts'

/** Leaves nothing out, and finds the first row that would be: for a target that refuses a part and does not say which row it is. */
export class FirstBad implements Skip {
  readonly count = 0
  readonly #title: string

  /** The target, for a person. */
  constructor(title: string) {
    this.#title = title
  }

  async left({ row, column, error }: SkippedRow): Promise<void> {
    const place = `row ${row}${column === null ? '' : `, column ${column}`}`
    throw new Fault('ROW_INVALID', {
      at: `${this.#title}: ${place}: ${error}`,
      details: { line: row, ...(column !== null && { column }) },
    })
  }

  async settle(): Promise<void> {}
}

/** A fault of a row without its place. */
export function isUnplaced(cause: unknown): boolean {
  return cause instanceof Fault && cause.code === 'ROW_INVALID' && cause.details['line'] === undefined
}
