/** Numbers rows as they were before some were left out: who comes after knows only those that came to it. Pure. */
export class RowNumbers {
  /** Of the rows left out, ascending. */
  readonly #gone: number[] = []

  /** `row`, from 1, is one that nobody behind will see. */
  leave(row: number): void {
    let at = this.#gone.length
    while (at > 0 && (this.#gone[at - 1] ?? 0) > row) at -= 1
    this.#gone.splice(at, 0, row)
  }

  /** The number of the row that is the n-th of those not left out. All that were left out before it must be known. */
  original(n: number): number {
    let [low, high] = [0, this.#gone.length]
    while (low < high) {
      const middle = (low + high) >> 1
      // So many rows that were kept are before this one.
      if ((this.#gone[middle] ?? 0) - middle - 1 < n) low = middle + 1
      else high = middle
    }
    return n + low
  }
}
