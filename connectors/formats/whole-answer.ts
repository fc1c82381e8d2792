import { Readable } from 'node:stream'
import type { Answer } from '../query-contract.ts'

/** An answer that is there already; its stream is made only for those who ask for it. */
export function wholeAnswer(whole: Buffer, rows: number): Answer {
  let stream: Readable | undefined
  return {
    whole,
    rows: () => rows,
    get bytes() {
      stream ??= Readable.from(whole.length === 0 ? [] : [whole], { objectMode: false })
      return stream
    },
  }
}
