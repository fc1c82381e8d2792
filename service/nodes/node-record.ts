import { createHash } from 'node:crypto'
import type { Clock } from '@postern/base/clock.ts'
import type { GatewaySettings, NodeStatus, SettingsChange } from '@postern/protocol/api/gateways.ts'
import type { GatewayId, NodeId } from '@postern/protocol/ids.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import type { Beat } from '@postern/protocol/node-api.ts'
import type { LinkTransport, NodeFacts } from './node-facts.ts'
import { jobLimit, type Limit, queryLimit } from './node-limits.ts'
import type { NodeRow } from './node-repository.ts'
import type { StatusAndReasons } from './node-status.ts'

/** The directory's own, changing copy of a node; everybody else sees it as NodeFacts. */
export class NodeRecord implements NodeFacts {
  readonly id: NodeId
  readonly gatewayId: GatewayId
  readonly #clock: Clock
  gateway = ''
  name = ''
  identity = ''
  version = ''
  enabled = true
  isPrimary = false
  isDispatcher = false
  place = 0
  joinedAt = new Date(0)
  beat: Beat | null = null
  beatAt: Date | null = null
  saidGoodbye = false
  link: LinkTransport | null = null
  changed: SettingsChange = {}
  status: NodeStatus = 'offline'
  statusReasons: readonly string[] = []
  #settings: GatewaySettings | undefined
  #tagged: { readonly settings: GatewaySettings; readonly tag: string } | undefined
  #behindSince: number | undefined
  #askedToDrain = false
  #heardAt = Number.NEGATIVE_INFINITY
  #linkedAt = 0
  #jobs: Limit = jobLimit('auto', null)
  #queries: Limit = queryLimit('auto', null)

  constructor(row: Pick<NodeRow, 'id' | 'gatewayId'>, clock: Clock) {
    this.id = row.id
    this.gatewayId = row.gatewayId
    this.#clock = clock
  }

  get draining(): boolean {
    return this.#askedToDrain || this.beat?.draining === true || this.beat?.upgrading === true
  }

  get settings(): GatewaySettings {
    if (!this.#settings) throw new Error(`Node ${this.id} has no settings yet.`)
    return this.#settings
  }

  get settingsTag(): string {
    if (this.#tagged?.settings !== this.settings) this.#tagged = { settings: this.settings, tag: tagOf(this.settings) }
    return this.#tagged.tag
  }

  /** For how long it has been running with other settings than it was told; 0 when it does not. */
  settingsBehindMs(): number {
    return this.#behindSince === undefined ? 0 : this.#clock.monotonic() - this.#behindSince
  }

  get jobLimit(): number {
    return this.#jobs.limit
  }

  get jobLimitReason(): string {
    return this.#jobs.reason
  }

  get queryLimit(): number {
    return this.#queries.limit
  }

  get queryLimitReason(): string {
    return this.#queries.reason
  }

  beatAgeMs(): number {
    return this.saidGoodbye ? Number.POSITIVE_INFINITY : this.#clock.monotonic() - this.#heardAt
  }

  alive(): boolean {
    return this.beatAgeMs() <= LIMITS.silentMs
  }

  linkAgeMs(): number {
    return this.link ? this.#clock.monotonic() - this.#linkedAt : 0
  }

  /** What the database says. A beat from there counts only when it is newer than the one we heard ourselves. */
  apply(row: NodeRow): void {
    this.name = row.name
    this.identity = row.identity
    this.version = row.version
    this.enabled = row.enabled
    this.#askedToDrain = row.draining
    this.place = row.place
    this.joinedAt = row.joinedAt
    this.changed = row.settings
    this.beatAt ??= row.beatAt
    if (!row.beat && row.beatAt && !this.beat) this.saidGoodbye = true
    if (row.beat && row.beatAgeMs !== null && row.beatAgeMs < this.#clock.monotonic() - this.#heardAt - LIMITS.beatMs)
      this.heard(row.beat, row.beatAgeMs)
  }

  configure(gateway: string, settings: GatewaySettings): void {
    this.gateway = gateway
    const own = Object.fromEntries(Object.entries(this.changed).filter(([, value]) => value !== undefined))
    this.#settings = { ...settings, ...own }
    this.#reckon()
  }

  heard(beat: Beat, ageMs: number): void {
    const first = this.beat?.cores !== beat.cores || this.beat.totalMemoryBytes !== beat.totalMemoryBytes
    this.beat = beat
    this.beatAt = new Date(this.#clock.now() - ageMs)
    this.version = beat.version
    this.saidGoodbye = false
    this.#heardAt = this.#clock.monotonic() - ageMs
    // A node of an older version says nothing of its settings.
    const tag = this.#settings && this.settingsTag
    if (beat.settingsTag === undefined || tag === undefined || beat.settingsTag === tag) this.#behindSince = undefined
    else this.#behindSince ??= this.#heardAt
    if (first) this.#reckon()
  }

  goodbye(): void {
    this.saidGoodbye = true
  }

  linkUp(transport: LinkTransport): void {
    this.link = transport
    this.#linkedAt = this.#clock.monotonic()
  }

  linkDown(): void {
    this.link = null
  }

  /** True when that is news. */
  become({ status, reasons }: StatusAndReasons): boolean {
    const same =
      status === this.status && reasons.length === this.statusReasons.length && reasons.every((text, i) => text === this.statusReasons[i])
    this.status = status
    this.statusReasons = reasons
    return !same
  }

  #reckon(): void {
    this.#jobs = jobLimit(this.#settings?.jobConcurrency ?? 'auto', this.beat)
    this.#queries = queryLimit(this.#settings?.queryConcurrency ?? 'auto', this.beat)
  }
}

const tagOf = (settings: GatewaySettings) => createHash('sha256').update(JSON.stringify(settings)).digest('base64url').slice(0, 16)
