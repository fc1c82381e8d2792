import type { Clock } from '@postern/base/clock.ts'
import { networkOf } from '@postern/base/network-of.ts'

/** How many may be wrong before there is a wait, and how long it can grow. Nobody is ever locked out for good. */
interface Patience {
  readonly free: number
  readonly mostMs: number
}

/** One account from one address: a person who has forgotten, or somebody who guesses. */
const PAIR: Patience = { free: 5, mostMs: 300_000 }
/** One address, whatever the account: people behind one wall share it, so it waits for less long. */
const ADDRESS: Patience = { free: 30, mostMs: 60_000 }
/** One account from anywhere: guessing from many addresses comes down to two tries a minute. */
const ACCOUNT: Patience = { free: 50, mostMs: 30_000 }
const FIRST_MS = 1_000
/** What has been quiet for so long is forgotten. */
const FORGET_MS = 3_600_000
const MOST_ENTRIES = 20_000

interface Entry {
  failures: number
  /** Monotonic: no try before it. */
  until: number
  lastAt: number
  /** It has signed in from here once: guesses from elsewhere do not make it wait. */
  good: boolean
}

/**
 * Growing waits after wrong tries, by account and by address, in the memory of one replica: n replicas give n times as many tries, which
 * argon2id makes as hopeless. What waits is not counted, so nobody can make a wait longer by asking again.
 */
export class SignInThrottle {
  readonly #clock: Clock
  readonly #entries = new Map<string, Entry>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Seconds until a try is looked at; 0: it may go on, and counts as wrong until `right` or `undo` says otherwise, so that many at a time
   * are not more than one after the other.
   */
  begin(name: string, address: string): number {
    const seconds = this.#waitSeconds(name, address)
    if (seconds > 0) return seconds
    this.#fail(pairKey(name, address), PAIR)
    this.#fail(accountKey(name), ACCOUNT)
    this.#fail(addressKey(address), ADDRESS)
    return 0
  }

  /** It was the right password: the account has nothing to wait for from here. */
  right(name: string, address: string): void {
    this.undo(name, address)
    const now = this.#clock.monotonic()
    this.#put(pairKey(name, address), { failures: 0, until: 0, lastAt: now, good: true })
  }

  /** It was never compared. */
  undo(name: string, address: string): void {
    this.#forgive(pairKey(name, address), PAIR)
    this.#forgive(accountKey(name), ACCOUNT)
    this.#forgive(addressKey(address), ADDRESS)
  }

  #waitSeconds(name: string, address: string): number {
    const now = this.#clock.monotonic()
    const pair = this.#look(pairKey(name, address), now)
    const account = pair?.good ? undefined : this.#look(accountKey(name), now)
    const until = Math.max(pair?.until ?? 0, account?.until ?? 0, this.#look(addressKey(address), now)?.until ?? 0)
    return until <= now ? 0 : Math.ceil((until - now) / 1_000)
  }

  #look(key: string, now: number): Entry | undefined {
    const entry = this.#entries.get(key)
    if (!entry || now - entry.lastAt < FORGET_MS) return entry
    this.#entries.delete(key)
    return undefined
  }

  #fail(key: string, { free, mostMs }: Patience): void {
    const now = this.#clock.monotonic()
    const before = this.#look(key, now)
    const failures = (before?.failures ?? 0) + 1
    const over = failures - free
    const wait = over <= 0 ? 0 : Math.min(mostMs, FIRST_MS * 2 ** Math.min(over - 1, 30))
    this.#put(key, { failures, until: now + wait, lastAt: now, good: before?.good ?? false })
  }

  #forgive(key: string, { free }: Patience): void {
    const entry = this.#look(key, this.#clock.monotonic())
    if (!entry || entry.failures === 0) return
    entry.failures -= 1
    if (entry.failures <= free) entry.until = 0
  }

  /** The one that was touched longest ago goes when there are too many. */
  #put(key: string, entry: Entry): void {
    this.#entries.delete(key)
    if (this.#entries.size >= MOST_ENTRIES) {
      const oldest = this.#entries.keys().next().value
      if (oldest !== undefined) this.#entries.delete(oldest)
    }
    this.#entries.set(key, entry)
  }
}

const pairKey = (name: string, address: string) => `p ${name} ${networkOf(address)}`
const accountKey = (name: string) => `n ${name}`
const addressKey = (address: string) => `a ${networkOf(address)}`
