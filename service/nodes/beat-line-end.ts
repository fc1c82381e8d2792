import { Fault } from '@postern/protocol/fault.ts'
import type { NodeId } from '@postern/protocol/ids.ts'
import { type BeatResponse, LineBeat, type Peer } from '@postern/protocol/node-api.ts'
import type { Heard, NodeBeats } from './node-beats.ts'

/** The service's end of a link's stream of beats: each answer says only what is new since the one before. */
export class BeatLineEnd {
  readonly #beats: NodeBeats
  readonly #nodeId: NodeId
  #said: Heard['said'] | undefined
  #peers: readonly Peer[] | undefined
  #holder: string | undefined
  #load: readonly Peer[] = []

  constructor(beats: NodeBeats, nodeId: NodeId) {
    this.#beats = beats
    this.#nodeId = nodeId
  }

  readonly answer = (line: string): string | Promise<string> => {
    let n = 0
    const failed = (cause: unknown) => JSON.stringify({ n, fault: Fault.from(cause).toJSON() })
    try {
      const said = LineBeat.parse(JSON.parse(line))
      n = said.n
      const heard = this.#beats.hear(this.#nodeId, said.beat)
      if (heard instanceof Promise) return heard.then((late) => this.#answer(n, late)).catch(failed)
      return this.#answer(n, heard)
    } catch (cause) {
      return failed(cause)
    }
  }

  #answer(n: number, heard: Heard): string {
    return JSON.stringify({ n, answer: this.#news(heard) })
  }

  #news({ said, peers, lease, node, stop, keepSnapshots }: Heard): Partial<BeatResponse> {
    const news: Partial<BeatResponse> = {}
    const before = this.#said
    if (before?.name !== said.name) news.name = said.name
    if (before?.settingsTag !== said.settingsTag) {
      news.settings = said.settings
      if (said.settingsTag !== undefined) news.settingsTag = said.settingsTag
    }
    if (before?.jobLimit !== said.jobLimit) news.jobLimit = said.jobLimit
    if (before?.queryLimit !== said.queryLimit) news.queryLimit = said.queryLimit
    if (before?.gatewayPublicKey !== said.gatewayPublicKey) news.gatewayPublicKey = said.gatewayPublicKey
    if (before?.storesVersion !== said.storesVersion && said.storesVersion !== undefined) news.storesVersion = said.storesVersion
    if (before?.replicas !== said.replicas && said.replicas !== undefined) news.replicas = said.replicas
    if (this.#peers !== peers) news.peers = [...peers]
    this.#said = said
    this.#peers = peers
    const holder = `${lease.node} ${lease.epoch}`
    if (lease.mine || holder !== this.#holder) news.dispatcher = lease
    this.#holder = holder
    if (lease.mine) this.#addLoad(news, this.#beats.loadOf(node.gatewayId))
    if (stop.length > 0) news.stop = stop
    if (keepSnapshots.length > 0) news.keepSnapshots = keepSnapshots
    return news
  }

  /** Who hands out tasks must know how busy the others are. */
  #addLoad(news: Partial<BeatResponse>, load: readonly Peer[]): void {
    const same = load.length === this.#load.length && load.every((peer, index) => isAsBusy(peer, this.#load[index]))
    if (same && !news.peers) return
    this.#load = load
    news.peers = [...load]
  }
}

/** Shares of a processor that nobody would choose by are no news. */
const CPU_STEP = 10

function isAsBusy(peer: Peer, before: Peer | undefined): boolean {
  return before?.id === peer.id && before.runningJobs === peer.runningJobs && Math.abs(before.cpuPercent - peer.cpuPercent) < CPU_STEP
}
