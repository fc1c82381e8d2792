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
  /** Of connections of proxies: the network of who sent last, by the end of the connection. */
  readonly #behind = new Map<string, string>()
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
    this.#forget(end, network)
    this.#count += 1
    this.#put(socket, end, network)
    socket.once('close', () => {
      const last = this.#behind.get(end) ?? network
      if (this.#networks.get(last)?.get(end) === socket) this.#forget(end, network)
    })
    if (this.#count > this.#limits.inAll) this.#cutOldest(this.#fullest())
  }

  /** A proxy's, on which somebody behind it sends now: it counts by the network of that one, for the proxy's own has all of them. */
  sentBy(socket: Connection, address: string): void {
    const end = endOf(socket)
    if (end === undefined || this.#known.has(socket)) return
    const own = networkOf(socket.remoteAddress ?? '')
    const network = networkOf(address)
    const before = this.#behind.get(end) ?? own
    const there = this.#networks.get(before)
    const kept = there?.get(end)
    if (!kept || before === network) return
    there?.delete(end)
    if (there?.size === 0) this.#networks.delete(before)
    this.#behind.set(end, network)
    this.#put(kept, end, network)
  }

  /** It has said who it is, and was believed. */
  proven(socket: Connection): void {
    if (this.#known.has(socket)) return
    this.#known.add(socket)
    const end = endOf(socket)
    if (end !== undefined) this.#forget(end, networkOf(socket.remoteAddress ?? ''))
  }

  cutAll(): void {
    for (const there of this.#networks.values()) for (const socket of there.values()) socket.destroy()
  }

  #cutOldest(network: string): void {
    const [oldest] = this.#networks.get(network) ?? []
    if (!oldest) return
    this.#forget(oldest[0], network)
    oldest[1].destroy()
  }

  #fullest(): string {
    let [fullest, most] = ['', 0]
    for (const [network, there] of this.#networks) if (there.size > most) [fullest, most] = [network, there.size]
    return fullest
  }

  #put(socket: Connection, end: string, network: string): void {
    const there = this.#networks.get(network) ?? new Map<string, Connection>()
    there.set(end, socket)
    this.#networks.set(network, there)
    if (there.size > this.#limits.ofNetwork) this.#cutOldest(network)
  }

  /** `network`: where it is, unless it is a proxy's. */
  #forget(end: string, network: string): void {
    const last = this.#behind.get(end) ?? network
    this.#behind.delete(end)
    const there = this.#networks.get(last)
    if (!there?.delete(end)) return
    this.#count -= 1
    if (there.size === 0) this.#networks.delete(last)
  }
}

/** Undefined once it is closed. */
const endOf = ({ remoteAddress, remotePort }: Connection): string | undefined =>
  remoteAddress === undefined ? undefined : `${remoteAddress} ${remotePort ?? 0}`
