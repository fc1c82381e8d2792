/** Whether the other ends of many connections are alive: one timer for all of them, and no question where bytes come in anyway. */
import type { Clock } from './clock.ts'
import type { Component } from './lifecycle.ts'

export interface PulseOptions {
  /** No byte for so long: it is asked. */
  readonly askMs: number
  /** No byte for so long after that: it is dead. */
  readonly deadMs: number
}

export interface Watched {
  /** Of all bytes that have come in. More of them prove life as well as an answer does: that may stand behind a long queue of them. */
  readonly bytesRead: () => number
  /** Asks for a sign of life; `answered` may be called where that is not seen in `bytesRead`. */
  readonly ask: (answered: () => void) => void
  /** Called once; it is not watched any more. */
  readonly dead: () => unknown
}

interface Entry {
  readonly watched: Watched
  bytes: number
  seenAt: number
  askedAt: number | undefined
}

/** What comes between two looks is taken to have come at the first: silence is found early by so much, never late. */
const LOOK_MS = 250
/** A process that slept for longer was stopped or starved: what came in meanwhile has not been read yet. */
const ASLEEP_MS = 4 * LOOK_MS

export class Pulse implements Component {
  readonly name = 'pulse'
  readonly #options: PulseOptions
  readonly #clock: Clock
  readonly #entries = new Set<Entry>()
  readonly #stopping = new AbortController()
  #loop: Promise<void> | undefined
  #lookedAt = 0

  constructor(options: PulseOptions, clock: Clock) {
    this.#options = options
    this.#clock = clock
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#entries.clear()
    await this.#loop
  }

  /** Returns how to end it. */
  watch(watched: Watched): () => void {
    const entry: Entry = { watched, bytes: watched.bytesRead(), seenAt: this.#clock.monotonic(), askedAt: undefined }
    this.#entries.add(entry)
    this.#loop ??= this.#run()
    return () => void this.#entries.delete(entry)
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    this.#lookedAt = this.#clock.monotonic()
    while (this.#entries.size > 0 && !signal.aborted) {
      await this.#clock.sleep(LOOK_MS, signal).catch(() => undefined)
      this.#look()
    }
    this.#loop = undefined
  }

  #look(): void {
    const now = this.#clock.monotonic()
    const asleep = now - this.#lookedAt > ASLEEP_MS ? now - this.#lookedAt : 0
    this.#lookedAt = now
    for (const entry of this.#entries) this.#lookAt(entry, now, asleep)
  }

  #lookAt(entry: Entry, now: number, asleep: number): void {
    const bytes = entry.watched.bytesRead()
    if (bytes !== entry.bytes) {
      entry.bytes = bytes
      entry.seenAt = now - LOOK_MS
      entry.askedAt = undefined
      return
    }
    entry.seenAt += asleep
    if (entry.askedAt !== undefined) {
      entry.askedAt += asleep
      if (now - entry.askedAt < this.#options.deadMs - LOOK_MS) return
      this.#entries.delete(entry)
      entry.watched.dead()
      return
    }
    if (now - entry.seenAt < this.#options.askMs) return
    entry.askedAt = now
    entry.watched.ask(() => {
      entry.seenAt = this.#clock.monotonic()
      entry.askedAt = undefined
    })
  }
}
