import { hash } from 'node:crypto'
import type { Clock } from '@postern/base/clock.ts'
import { networkOf } from '@postern/base/network-of.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { AddressThrottle } from '../http/address-throttle.ts'
import { checkWait } from '../http/check-wait.ts'
import type { Caller } from '../rights/caller.ts'

/** In a minute from one network. Programs with an old token come back every few seconds; they shall see that it is wrong. */
const WRONG_TOKENS = 200
const KNOWN = 10_000

/**
 * Guessing a token is hopeless; this keeps it from being work for the database. From a network that sent too many wrong ones only tokens
 * that were right before are looked up, so that nobody behind the same address is locked out.
 */
export class WrongTokens {
  readonly #throttle: AddressThrottle
  /** SHA-256 of those that were right. */
  readonly #right = new Set<string>()

  constructor(clock: Clock) {
    this.#throttle = new AddressThrottle(clock, WRONG_TOKENS)
  }

  /** `proof`: the header, cookie or password that `ask` looks up. */
  watch(proof: string, address: string | undefined, ask: () => Caller | Promise<Caller>): Caller | Promise<Caller> {
    if (address === undefined) return ask()
    const seconds = this.#throttle.quiet ? 0 : this.#throttle.waitSeconds(networkOf(address))
    if (seconds > 0 && !this.#right.has(hashOf(proof))) checkWait(seconds)
    const found = ask()
    if (!(found instanceof Promise)) return found
    return found.then(
      (caller) => {
        if (this.#right.size >= KNOWN) this.#right.clear()
        this.#right.add(hashOf(proof))
        return caller
      },
      (cause: unknown) => {
        if (Fault.from(cause).code === 'TOKEN_INVALID') this.#throttle.wrong(networkOf(address))
        throw cause
      },
    )
  }
}

const hashOf = (text: string): string => hash('sha256', text)
