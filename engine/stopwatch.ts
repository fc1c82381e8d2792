import type { Clock } from '@postern/base/clock.ts'
import type { Times } from '@postern/protocol/task-api.ts'

/** What a part is doing. Of two ends that both could go on, none waits: that time counts for the source, which is to send more. */
type State = 'read' | 'write' | 'limit' | 'commit'

/** Where the time of a part goes: always in one of these, so that they add up to the whole. */
export class Stopwatch {
  readonly #clock: Clock
  readonly #spent: Record<State, number> = { read: 0, write: 0, limit: 0, commit: 0 }
  readonly #began: number
  #state: State = 'read'
  #since: number
  #firstByteMs: number | undefined

  constructor(clock: Clock) {
    this.#clock = clock
    this.#began = clock.monotonic()
    this.#since = this.#began
  }

  turn(state: State): void {
    const now = this.#clock.monotonic()
    this.#spent[this.#state] += now - this.#since
    this.#since = now
    this.#state = state
  }

  /** The first byte has come: what was spent until then is not reading. */
  firstByte(): void {
    if (this.#firstByteMs !== undefined) return
    this.turn(this.#state)
    this.#firstByteMs = this.#since - this.#began
    this.#spent.read = 0
  }

  get state(): State {
    return this.#state
  }

  /** Up to now. */
  times(): Times {
    this.turn(this.#state)
    const { read, write, commit } = this.#spent
    const first = this.#firstByteMs ?? 0
    // Held back by a limit, neither end is to blame: the time is the whole's, not a share of either.
    return { firstByteMs: Math.round(first), readMs: Math.round(read), writeMs: Math.round(write), commitMs: Math.round(commit) }
  }

  /** Held back by a limit on rows or bytes per second. */
  get limitMs(): number {
    return Math.round(this.#spent.limit)
  }
}
