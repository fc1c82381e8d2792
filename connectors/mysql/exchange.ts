import { type Field, type OkFacts, Reader, readEnd, readField, readOk, STATUS_MORE_RESULTS } from './packets.ts'
import { ServerError } from './server-error.ts'
import type { Listener, Wire } from './wire.ts'

const OK = 0x00
const END = 0xfe
const ERROR = 0xff
const LOCAL_FILE = 0xfb

const STAGE = { head: 0, columns: 1, rows: 2 } as const
type Stage = (typeof STAGE)[keyof typeof STAGE]

/** The answer to one command in the text protocol: none or more results, then done or an error. */
export abstract class Exchange implements Listener {
  protected readonly wire: Wire
  /** Which result this is: a procedure answers with several. */
  protected result = 0
  #stage: Stage = STAGE.head
  #fields: Field[] = []
  #wanted = 0

  constructor(wire: Wire) {
    this.wire = wire
  }

  packet(buffer: Buffer, start: number, end: number): void {
    const first = buffer[start] ?? 0
    if (this.#stage === STAGE.rows) {
      // A row may begin with the same byte, but is then longer than any of these.
      if (first < END || (first === END && end - start >= 9)) this.row(buffer, start, end)
      else if (first === ERROR) this.failed(ServerError.parse(buffer, start, end))
      else this.#over(readEnd(buffer, start))
    } else if (this.#stage === STAGE.head) this.#head(buffer, start, end)
    else this.#column(buffer, start)
  }

  #head(buffer: Buffer, start: number, end: number): void {
    const first = buffer[start] ?? 0
    if (first === ERROR) this.failed(ServerError.parse(buffer, start, end))
    else if (first === OK) this.#over(readOk(buffer, start, end))
    else if (first === LOCAL_FILE) this.fileWanted()
    else {
      this.#wanted = new Reader(buffer, start).length()
      this.#fields = []
      this.#stage = STAGE.columns
    }
  }

  #column(buffer: Buffer, start: number): void {
    if (this.#fields.length < this.#wanted) {
      this.#fields.push(readField(buffer, start, this.wire.facts.extended))
      return
    }
    this.#stage = STAGE.rows
    this.columns(this.#fields)
  }

  #over(facts: OkFacts): void {
    if ((facts.status & STATUS_MORE_RESULTS) === 0) {
      this.done(facts)
      return
    }
    this.result += 1
    this.#stage = STAGE.head
  }

  protected columns(_fields: readonly Field[]): void {}
  protected row(_buffer: Buffer, _start: number, _end: number): void {}
  /** The server asks for the contents of a file: only LOAD DATA LOCAL of ours may lead to that. An empty file is no harm. */
  protected fileWanted(): void {
    this.wire.send(Buffer.from([0, 0, 0, this.wire.sequence]))
  }
  protected abstract done(facts: OkFacts): void
  protected abstract failed(error: ServerError): void
  abstract lost(cause: Error): void
}
