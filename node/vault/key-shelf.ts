import type { Clock } from '@postern/base/clock.ts'
import { z } from 'zod'
import { type GatewayKey, gatewayKeyFrom } from './gateway-key.ts'
import type { VaultFiles } from './vault-file.ts'

const NAMES = {
  current: 'gateway-key',
  /** A pair that was offered as the first, and of which this node does not know yet whether it won: kept, or a won key could be lost. */
  candidate: 'gateway-key.candidate',
  /** Made by a rotation that has not been taken over by the service yet, as far as this node knows. */
  next: 'gateway-key.next',
  /** The one before, until all nodes have the new one. */
  previous: 'gateway-key.previous',
  /** Public halves of those before that. */
  past: 'gateway-key.past',
  /** What the node asks for the gateway's key with, from the join until it has it. */
  seed: 'hand-over-seed',
} as const
type Slot = 'current' | 'candidate' | 'next' | 'previous'
const SLOTS = ['current', 'candidate', 'next', 'previous'] as const
const PAST_KEYS = 20
const Past = z.array(z.string().max(64))

/** The gateway's keys as they lie in this node's vault. Each step is on the disk before it counts: a node may be killed between any two. */
export class KeyShelf {
  readonly #files: VaultFiles
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #keys = new Map<Slot, GatewayKey>()
  readonly #since = new Map<Slot, number>()
  #past: readonly string[] = []
  #seed: string | undefined
  #shown: GatewayKey | undefined
  #turn: Promise<unknown> = Promise.resolve()

  constructor(parts: { readonly files: VaultFiles; readonly clock: Pick<Clock, 'monotonic'> }) {
    this.#files = parts.files
    this.#clock = parts.clock
  }

  async load(): Promise<void> {
    for (const slot of SLOTS) {
      const text = await this.#files.read(NAMES[slot])
      const key = text === undefined ? undefined : gatewayKeyFrom(text)
      if (key) this.#set(slot, key)
    }
    const past = await this.#files.read(NAMES.past)
    this.#past = past === undefined ? [] : (Past.safeParse(JSON.parse(past)).data ?? [])
    this.#seed = await this.#files.read(NAMES.seed)
  }

  /** What credentials are opened with: the key of today, and beside it those of a rotation that is under way. */
  get key(): GatewayKey | undefined {
    return this.#shown
  }

  get(slot: Slot): GatewayKey | undefined {
    return this.#keys.get(slot)
  }

  get seed(): string | undefined {
    return this.#seed
  }

  /** Private half and all; undefined when it is not here. A candidate is nobody's key yet. */
  holding(publicKey: string): GatewayKey | undefined {
    return (['current', 'next', 'previous'] as const).map((slot) => this.#keys.get(slot)).find((key) => key?.publicKey === publicKey)
  }

  hasHeld(publicKey: string): boolean {
    return this.holding(publicKey) !== undefined || this.#past.includes(publicKey)
  }

  /** How long something has been in the slot, as far as this process has seen. */
  ageMs(slot: Slot): number {
    const since = this.#since.get(slot)
    return since === undefined ? 0 : this.#clock.monotonic() - since
  }

  async keepSeed(seed: string): Promise<void> {
    await this.#files.write(NAMES.seed, seed)
    this.#seed = seed
  }

  /** Who steals the node's folder later has no use for it. */
  async forgetSeed(): Promise<void> {
    if (this.#seed === undefined) return
    await this.#files.remove(NAMES.seed)
    this.#seed = undefined
  }

  put(slot: 'candidate' | 'next', key: GatewayKey): Promise<void> {
    return this.#inTurn(() => this.#write(slot, key))
  }

  drop(slot: Exclude<Slot, 'current'>): Promise<void> {
    return this.#inTurn(() => this.#remove(slot))
  }

  /** From now on it is the gateway's key; the one that was is kept beside it. */
  hold(key: GatewayKey): Promise<void> {
    return this.#inTurn(() => this.#hold(key))
  }

  async #hold(key: GatewayKey): Promise<void> {
    const before = this.#keys.get('current')
    if (before && before.publicKey !== key.publicKey) {
      await this.#write('previous', before)
      this.#past = [before.publicKey, ...this.#past.filter((one) => one !== before.publicKey)].slice(0, PAST_KEYS)
      await this.#files.write(NAMES.past, JSON.stringify(this.#past))
    }
    await this.#write('current', key)
    // One of a rotation that has begun since stays.
    if (this.#keys.get('next')?.publicKey === key.publicKey) await this.#remove('next')
    await this.#remove('candidate')
    await this.forgetSeed()
  }

  /** A beat and a rotation may want to change it at once. */
  #inTurn(change: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(change)
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  async #remove(slot: Slot): Promise<void> {
    await this.#files.remove(NAMES[slot])
    this.#keys.delete(slot)
    this.#since.delete(slot)
    this.#show()
  }

  async #write(slot: Slot, key: GatewayKey): Promise<void> {
    await this.#files.write(NAMES[slot], key.privateKey.reveal())
    this.#set(slot, key)
  }

  #set(slot: Slot, { publicKey, privateKey }: GatewayKey): void {
    this.#keys.set(slot, { publicKey, privateKey })
    this.#since.set(slot, this.#clock.monotonic())
    this.#show()
  }

  #show(): void {
    const [current, next, previous] = (['current', 'next', 'previous'] as const).map((slot) => this.#keys.get(slot))
    const others = [next, previous].filter((key) => key !== undefined)
    this.#shown = current && (others.length === 0 ? current : { ...current, others })
  }
}
