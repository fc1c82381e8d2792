import { createHash } from 'node:crypto'
import type { Clock } from '@postern/base/clock.ts'
import { type Labels, NodeSettings, type NodeSettingsChange, type NodeStatus } from '@postern/protocol/api/gateways.ts'
import type { GatewayId, NodeId } from '@postern/protocol/ids.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import type { Beat } from '@postern/protocol/node-api.ts'
import type { GatewayFacts, LinkTransport, NodeFacts } from './node-facts.ts'
import { jobLimit, type Limit, type Origin, percentLimit, queryLimit } from './node-limits.ts'
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
  linkedHere = false
  changed: NodeSettingsChange = {}
  status: NodeStatus = 'offline'
  statusReasons: readonly string[] = []
  weight = 1
  labels: Labels = {}
  #settings: NodeSettings | undefined
  #gateway: GatewayFacts | undefined
  #tagged: { readonly settings: NodeSettings; readonly tag: string } | undefined
  #behindSince: number | undefined
  #askedToDrain = false
  #heardAt = Number.NEGATIVE_INFINITY
  #linkedAt = 0
  #jobs: Limit = jobLimit('auto', null, 'by default')
  #queries: Limit = queryLimit('auto', null, 'by default')
  #cpu: Limit = percentLimit(0, 'by default', 0)
  #memory: Limit = percentLimit(0, 'by default', 0)

  constructor(row: Pick<NodeRow, 'id' | 'gatewayId'>, clock: Clock) {
    this.id = row.id
    this.gatewayId = row.gatewayId
    this.#clock = clock
  }

  get draining(): boolean {
    return this.#askedToDrain || this.beat?.draining === true || this.beat?.upgrading === true
  }

  get settings(): NodeSettings {
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

  get cpuLimitPercent(): number {
    return this.#cpu.limit
  }

  get cpuLimitReason(): string {
    return this.#cpu.reason
  }

  get memoryLimitPercent(): number {
    return this.#memory.limit
  }

  get memoryLimitReason(): string {
    return this.#memory.reason
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

  configure(gateway: GatewayFacts): void {
    this.#gateway = gateway
    this.gateway = gateway.name
    const own = Object.fromEntries(Object.entries(this.changed).filter(([, value]) => value !== undefined))
    this.#settings = { ...ONLY_NODES, ...gateway.settings, ...own }
    this.weight = this.#settings.weight
    this.labels = this.#settings.labels
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

  /** Null: neither this replica nor another has a link of it. */
  linked(transport: LinkTransport | null, here: boolean): void {
    this.linkedHere = here
    if (transport && !this.link) this.#linkedAt = this.#clock.monotonic()
    this.link = transport
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
    const {
      jobConcurrency = 'auto',
      queryConcurrency = 'auto',
      cpuPercent = 0,
      memoryPercent = 0,
      aggregationMinutes = 0,
    } = this.#settings ?? {}
    this.#jobs = jobLimit(jobConcurrency, this.beat, this.#origin('jobConcurrency'))
    this.#queries = queryLimit(queryConcurrency, this.beat, this.#origin('queryConcurrency'))
    this.#cpu = percentLimit(cpuPercent, this.#origin('cpuPercent'), aggregationMinutes)
    this.#memory = percentLimit(memoryPercent, this.#origin('memoryPercent'), aggregationMinutes)
  }

  #origin(name: keyof GatewayFacts['settings']): Origin {
    if (this.changed[name] !== undefined) return 'for this node'
    return this.#gateway?.changed[name] === undefined ? 'by default' : 'for the gateway'
  }
}

const ONLY_NODES = { weight: NodeSettings.shape.weight.parse(undefined), labels: NodeSettings.shape.labels.parse(undefined) }

const tagOf = (settings: NodeSettings) => createHash('sha256').update(JSON.stringify(settings)).digest('base64url').slice(0, 16)
