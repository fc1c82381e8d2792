import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { networkOf } from './network-of.ts'

export interface StrangerLimits {
  readonly ofNetwork: number
  readonly inAll: number
}

type Connection = Duplex & Pick<Partial<Socket>, 'remoteAddress' | 'remotePort'>

/**
 * Connections that have not proved yet who they are: bounded by network and in all. One too many, and the oldest of its network, or of the
 * network that has most, is cut: who opens many and says nothing loses those, and keeps nobody else out.
 */
export class Strangers {
  readonly #limits: StrangerLimits
  /** By network, then by the other end's address and port (the same of a TLS socket and the TCP socket below it), oldest first. */
  readonly #networks = new Map<string, Map<string, Connection>>()
  readonly #known = new WeakSet<Duplex>()
  #count = 0

  constructor(limits: StrangerLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#count
  }

  add(socket: Connection): void {
    const end = endOf(socket)
    if (end === undefined) return
    const network = networkOf(socket.remoteAddress ?? '')
    this.#forget(network, end)
    const there = this.#networks.get(network) ?? new Map<string, Connection>()
    there.set(end, socket)
    this.#networks.set(network, there)
    this.#count += 1
    socket.once('close', () => {
      if (this.#networks.get(network)?.get(end) === socket) this.#forget(network, end)
    })
    if (there.size > this.#limits.ofNetwork) this.#cutOldest(network)
    else if (this.#count > this.#limits.inAll) this.#cutOldest(this.#fullest())
  }

  /** It has said who it is, and was believed. */
  proven(socket: Connection): void {
    if (this.#known.has(socket)) return
    this.#known.add(socket)
    const end = endOf(socket)
    if (end !== undefined) this.#forget(networkOf(socket.remoteAddress ?? ''), end)
  }

  cutAll(): void {
    for (const there of this.#networks.values()) for (const socket of there.values()) socket.destroy()
  }

  #cutOldest(network: string): void {
    const [oldest] = this.#networks.get(network) ?? []
    if (!oldest) return
    this.#forget(network, oldest[0])
    oldest[1].destroy()
  }

  #fullest(): string {
    let [fullest, most] = ['', 0]
    for (const [network, there] of this.#networks) if (there.size > most) [fullest, most] = [network, there.size]
    return fullest
  }

  #forget(network: string, end: string): void {
    const there = this.#networks.get(network)
    if (!there?.delete(end)) return
    this.#count -= 1
    if (there.size === 0) this.#networks.delete(network)
  }
}

/** Undefined once it is closed. */
const endOf = ({ remoteAddress, remotePort }: Connection): string | undefined =>
  remoteAddress === undefined ? undefined : `${remoteAddress} ${remotePort ?? 0}`
