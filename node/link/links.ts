import type { Component } from '@postern/base/lifecycle.ts'
import { Pulse } from '@postern/base/pulse.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import { Link, type LinkParts, type LinkState } from './link.ts'

/** While one link is up, another one that was lost, or that can be had now, is dialled within this time, at random. */
const SPREAD_MS = 3_000

/**
 * Links to two different replicas where the service has several: when one dies, queries go on over the other. Both dial the
 * service's one URL; what stands before the replicas brings them to one or another, and one that is linked already refuses.
 */
export class Links implements Component {
  readonly name = 'links'
  readonly #links: readonly [Link, Link]
  readonly #pulse: Pulse
  #replicas = 1

  constructor(given: Omit<LinkParts, 'pulse'>) {
    this.#pulse = new Pulse({ askMs: LIMITS.pingMs, deadMs: LIMITS.pingTimeoutMs }, given.clock)
    const parts = { ...given, pulse: this.#pulse }
    const first: Link = new Link({ ...parts, ...this.#beside(() => second), wanted: () => this.#replicas > 1 || second.state.at !== 'up' })
    // The first to dial is alone; the other one follows once it is known that there is somebody else.
    const second: Link = new Link({ ...parts, ...this.#beside(() => first), wanted: () => this.#replicas > 1 })
    this.#links = [first, second]
  }

  /** Of the better one. */
  get state(): LinkState {
    const [first, second] = this.#links
    return second.state.at === 'up' && first.state.at !== 'up' ? second.state : first.state
  }

  /** How many are up. */
  get up(): number {
    return this.#links.filter(({ state }) => state.at === 'up').length
  }

  /** None is up, but one is on its way. */
  get dialling(): boolean {
    return this.up === 0 && this.#links.some(({ state }) => state.at === 'dialling')
  }

  /** What the service said in its answer to a beat. */
  know(replicas: number): void {
    const more = replicas > this.#replicas
    this.#replicas = replicas
    if (more) this.wake('the service has more replicas')
  }

  async start(): Promise<void> {
    await Promise.all(this.#links.map((link) => link.start()))
  }

  async stop(): Promise<void> {
    await Promise.all(this.#links.map((link) => link.stop()))
    await this.#pulse.stop()
  }

  wake(reason: string): void {
    for (const link of this.#links) link.wake(reason)
  }

  #beside(other: () => Link): Pick<LinkParts, 'unless' | 'spreadMs'> {
    return {
      unless: () => {
        const { state } = other()
        return state.at === 'up' ? state.replica : null
      },
      spreadMs: () => (other().state.at === 'up' ? SPREAD_MS : 0),
    }
  }
}
