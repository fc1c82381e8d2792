/** One statement at a time: what it gave so far, how it ended. React looks at it by `subscribe` and `state`. */
import type { QueryFormat } from '@postern/protocol/api/queries.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { ResultRows, type Row } from './result-rows.ts'

export interface Asked {
  readonly store: string
  readonly sql: string
  readonly params: readonly (string | number | boolean | null)[]
  readonly mode: 'read' | 'write'
  /** `table`: rows to look at; the rest are files to keep. */
  readonly as: 'table' | QueryFormat
  /** How the store would do it, and not what it gives. */
  readonly isPlan?: boolean
  readonly maxRows?: number
  readonly timeoutMs?: number
}

/** What the client gives (client/query.ts). */
export interface Answering {
  readonly id: string
  readonly node: string
  readonly bytes: AsyncIterable<Uint8Array>
}
export type Ask = (asked: Asked, signal: AbortSignal) => Promise<Answering>

export type RunState =
  | { readonly at: 'idle' }
  | {
      readonly at: 'running' | 'succeeded' | 'failed' | 'cancelled'
      readonly asked: Asked
      /** Of the browser's clock, in milliseconds. */
      readonly startedAt: number
      readonly tookMs?: number
      /** Undefined until the service said it. */
      readonly id?: string
      readonly node?: string
      readonly columns: readonly string[]
      readonly rows: readonly Row[]
      readonly bytes: number
      /** When it was asked for as a file, and is whole. */
      readonly file?: Blob
      readonly fault?: Fault
    }
type Begun = Exclude<RunState, { readonly at: 'idle' }>

/** A result grows by many chunks a second; so often it is drawn. */
const DRAW_MS = 100
/** The most that a page holds of a file. */
const MOST_FILE_BYTES = 512 * 2 ** 20

export class QueryRun {
  readonly #ask: Ask
  readonly #now: () => number
  readonly #listeners = new Set<() => void>()
  #state: RunState = { at: 'idle' }
  #controller = new AbortController()
  #drawnAt = 0

  constructor(ask: Ask, now: () => number) {
    this.#ask = ask
    this.#now = now
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readonly state = (): RunState => this.#state

  /** Ends what runs: the statement is cancelled in its store. */
  cancel(): void {
    this.#controller.abort()
  }

  /** Cancels what runs before it. Settles with the end of the statement, however it ends. */
  async run(asked: Asked): Promise<void> {
    this.#controller.abort()
    const controller = new AbortController()
    this.#controller = controller
    const { signal } = controller
    let state: Begun = { at: 'running', asked, startedAt: this.#now(), columns: [], rows: [], bytes: 0 }
    /** One that another statement has replaced says nothing more. */
    const show = (next: Begun, isEnd = false) => {
      state = next
      if (this.#controller === controller) this.#show(next, isEnd)
    }
    show(state, true)
    try {
      const answer = await this.#ask(asked, signal)
      show({ ...state, id: answer.id, node: answer.node }, true)
      const whole = await (asked.as === 'table' ? readRows(answer, state, show) : readFile(answer, state, show))
      show({ ...whole, at: 'succeeded', tookMs: this.#now() - state.startedAt }, true)
    } catch (cause) {
      const tookMs = this.#now() - state.startedAt
      if (signal.aborted) return show({ ...state, at: 'cancelled', tookMs }, true)
      const fault = Fault.from(cause)
      const id = state.id ?? idOf(fault)
      show({ ...state, at: 'failed', tookMs, fault, ...(id === undefined ? {} : { id }) }, true)
    }
  }

  #show(state: RunState, atOnce: boolean): void {
    this.#state = state
    const now = this.#now()
    if (!atOnce && now - this.#drawnAt < DRAW_MS) return
    this.#drawnAt = now
    for (const listener of this.#listeners) listener()
  }
}

type Show = (state: Begun) => void

async function readRows(answer: Answering, from: Begun, show: Show): Promise<Begun> {
  const lines = new ResultRows()
  const rows: Row[] = []
  let state: Begun = { ...from, id: answer.id, node: answer.node }
  for await (const chunk of answer.bytes) {
    for (const row of lines.take(chunk)) rows.push(row)
    // The array grows in place: a copy of all rows with each chunk would cost the square of them.
    state = { ...state, columns: lines.columns, rows, bytes: state.bytes + chunk.length }
    show(state)
  }
  for (const row of lines.end()) rows.push(row)
  return { ...state, columns: lines.columns, rows }
}

async function readFile(answer: Answering, from: Begun, show: Show): Promise<Begun> {
  const parts: BlobPart[] = []
  let state: Begun = { ...from, id: answer.id, node: answer.node }
  for await (const chunk of answer.bytes) {
    if (state.bytes + chunk.length > MOST_FILE_BYTES) {
      throw new Fault('INPUT_INVALID', {
        at: 'The result is larger than 512 MB, more than a page can hold.',
        remedy: 'Ask for fewer rows, or copy it into a file with “Copy the result…”.',
      })
    }
    parts.push(new Uint8Array(chunk))
    state = { ...state, bytes: state.bytes + chunk.length }
    show(state)
  }
  return { ...state, file: new Blob(parts) }
}

function idOf(fault: Fault): string | undefined {
  const id = fault.details?.['query']
  return typeof id === 'string' ? id : undefined
}
