import type { LeftOut, SkippedRow } from '../copy-contract.ts'
import { RowNumbers } from '../rows/row-numbers.ts'

/** Rows that are left out of one reading of a part: first where the text is cut into rows, then where their values are made. */
export class UnreadRows {
  readonly #left: LeftOut
  readonly #numbers = new RowNumbers()
  #count = 0

  constructor(left: LeftOut = async () => undefined) {
    this.#left = left
  }

  get count(): number {
    return this.#count
  }

  readonly cut: LeftOut = (row) => {
    this.#numbers.leave(row.row)
    return this.#leave(row)
  }

  /** Of those that came through. */
  readonly tried: LeftOut = (row) => this.#leave({ ...row, row: this.#numbers.original(row.row) })

  #leave(row: SkippedRow): Promise<void> {
    this.#count += 1
    return this.#left(row)
  }
}
