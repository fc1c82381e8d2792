export interface LogLine {
  /** Counts from 1 on, without a gap. */
  readonly seq: number
  readonly text: string
}

export interface LogPage {
  /** Whose lines these are: another one after the process was started anew, which counts from 1 again. */
  readonly ring: string
  readonly lines: readonly LogLine[]
  /** To go on from. */
  readonly last: number
  /** Lines between what was asked and what is here are not kept any more. */
  readonly lost: boolean
}

const KEPT = { lines: 5_000, bytes: 2 << 20, line: 16_384 } as const

/** The newest lines of a log, in memory: as they were written, so after all that must not be seen was taken out. */
export class LogRing {
  readonly #id: string
  readonly #limits: typeof KEPT | { readonly lines: number; readonly bytes: number; readonly line: number }
  #lines: LogLine[] = []
  #bytes = 0
  #last = 0

  /** `id`: of this process, another one at each start. */
  constructor(id: string, limits: { readonly lines: number; readonly bytes: number; readonly line: number } = KEPT) {
    this.#id = id
    this.#limits = limits
  }

  write(line: string): void {
    const { lines, bytes, line: longest } = this.#limits
    const text = line.trimEnd().slice(0, longest)
    this.#last += 1
    this.#lines.push({ seq: this.#last, text })
    this.#bytes += text.length
    while (this.#lines.length > lines || this.#bytes > bytes) this.#bytes -= this.#lines.shift()?.text.length ?? this.#bytes
  }

  /** The lines after `seq` of the ring that is named, or all of this one; of many the newest `most`. */
  after(seq: number, most: number, ring = this.#id): LogPage {
    const from = ring === this.#id && seq <= this.#last ? seq : 0
    const lines = this.#lines.filter((line) => line.seq > from).slice(-most)
    const first = lines[0]?.seq ?? this.#last + 1
    return { ring: this.#id, lines, last: this.#last, lost: first > from + 1 }
  }
}
