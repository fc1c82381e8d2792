/** People who query without a pause: each of a few loops asks, checks the answer, and asks again. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@postern/client/client.ts'

const LOOPS = 4
const PAUSE_MS = 20
const QUERY_MS = 30_000

export interface Tally {
  readonly answered: number
  /** One line each, at most a few kept. */
  readonly failures: readonly string[]
  readonly failed: number
  /** Answers that took more than one node. */
  readonly retried: number
  readonly byNode: ReadonlyMap<string, number>
  readonly slowestMs: number
}

export class Workload {
  readonly #client: Client
  readonly #loops: Promise<void>[] = []
  readonly #byNode = new Map<string, number>()
  readonly #failures: string[] = []
  #ending = false
  #answered = 0
  #failed = 0
  #retried = 0
  #slowestMs = 0

  constructor(client: Client) {
    this.#client = client
  }

  start(): void {
    for (let loop = 0; loop < LOOPS; loop += 1) this.#loops.push(this.#run())
  }

  get tally(): Tally {
    return {
      answered: this.#answered,
      failures: this.#failures,
      failed: this.#failed,
      retried: this.#retried,
      byNode: new Map(this.#byNode),
      slowestMs: this.#slowestMs,
    }
  }

  /** Resolves when `more` further queries have been answered or have failed. */
  async after(more: number): Promise<void> {
    const until = this.#answered + this.#failed + more
    while (!this.#ending && this.#answered + this.#failed < until) await sleep(20)
  }

  async stop(): Promise<Tally> {
    this.#ending = true
    await Promise.all(this.#loops)
    return this.tally
  }

  async #run(): Promise<void> {
    while (!this.#ending) {
      await this.#ask()
      await sleep(PAUSE_MS)
    }
  }

  async #ask(): Promise<void> {
    const began = performance.now()
    try {
      const answer = await this.#client.query('shop', {
        sql: 'select location, count(*)::int as days from weather group by location order by location',
        signal: AbortSignal.timeout(QUERY_MS),
      })
      const rows = await answer.rows<{ location: string; days: number }>()
      if (rows.length !== 2 || rows.some(({ days }) => days !== 1_461)) throw new Error(`wrong answer: ${JSON.stringify(rows)}`)
      this.#answered += 1
      if (answer.attempts > 1) this.#retried += 1
      this.#byNode.set(answer.node, (this.#byNode.get(answer.node) ?? 0) + 1)
    } catch (cause) {
      this.#failed += 1
      if (this.#failures.length < 5) this.#failures.push(cause instanceof Error ? cause.message : String(cause))
    }
    this.#slowestMs = Math.max(this.#slowestMs, performance.now() - began)
  }
}
