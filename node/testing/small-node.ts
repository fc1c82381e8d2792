/** A node without work, for tests and benchmarks of many: its own key, and the node's own link and beat, to a service or replicas of it. */
import { systemClock } from '@postern/base/clock.ts'
import { silentLog } from '@postern/base/log.ts'
import { systemRandom } from '@postern/base/random.ts'
import { VERSION } from '@postern/base/version.ts'
import { NodeId } from '@postern/protocol/ids.ts'
import { Router } from '../app/router.ts'
import { Beat } from '../beat/beat.ts'
import { BeatLine } from '../beat/beat-line.ts'
import { Dialler } from '../calls/dialler.ts'
import { ServiceClient } from '../calls/service-client.ts'
import { parseServiceUrl } from '../calls/service-url.ts'
import { Identity } from '../identity/identity.ts'
import { Links } from '../link/links.ts'

export interface SmallNodeKey {
  readonly id: string
  /** As Identity.export gave it. */
  readonly identity: string
}

const base = { clock: systemClock, random: systemRandom, log: silentLog }
const MACHINE = { cores: 4, totalMemoryBytes: 8e9, networkInBytesPerSecond: 0, networkOutBytesPerSecond: 0, networkReason: null }
const RAW = () => 'raw' as const

export class SmallNode {
  readonly #links: Links
  readonly #beat: Beat
  readonly #service: ServiceClient
  readonly line: BeatLine
  #tag: string | null = null

  constructor(url: string, { id, identity }: SmallNodeKey) {
    const dialler = new Dialler({ target: parseServiceUrl(url), environment: {}, proxyUrl: () => '' })
    const service = new ServiceClient({
      dialler,
      clock: systemClock,
      signer: { identity: Identity.parse(identity), nodeId: NodeId.parse(id) },
    })
    this.#service = service
    this.line = new BeatLine({ clock: systemClock })
    const router = new Router({ routes: this.line.routes, log: silentLog })
    this.#links = new Links({ ...base, dialler, service, router, remembered: RAW, remember: async () => undefined })
    this.#beat = new Beat({
      ...base,
      service,
      line: this.line,
      dialling: () => this.#links.dialling,
      version: VERSION,
      usage: {
        get facts() {
          const cpuPercent = Math.round(Math.random() * 1_000) / 10
          const averages = { cpuPercent, memoryPercent: 41.3, overSeconds: 300 }
          return { ...MACHINE, cpuPercent, availableMemoryBytes: 4e9 + Math.round(Math.random() * 1e6), averages }
        },
        average: () => false,
      },
      work: () => ({
        channel: { address: '10.20.30.40:8050', ok: true, fault: null },
        unreachable: [],
        runningQueries: 0,
        running: [],
        snapshots: [],
        hasGatewayKey: true,
        draining: false,
        upgrading: false,
        staleCredentials: 0,
        settingsTag: this.#tag,
        settingsFault: null,
        channelEncryption: 'mutual',
      }),
      obey: async ({ answer }) => {
        this.#tag = answer.settingsTag ?? null
        this.#links.know(answer.replicas ?? 1)
      },
      onRecovered: () => this.#links.wake('the service answers beats again'),
      onDeleted: () => undefined,
    })
  }

  /** How many links are up. */
  get links(): number {
    return this.#links.up
  }

  get linked(): boolean {
    return this.#links.up > 0
  }

  get beating(): boolean {
    return this.#beat.failing === undefined && systemClock.monotonic() - this.#beat.heardAt < 3_000
  }

  async start(): Promise<void> {
    await this.#links.start()
    await this.#beat.start()
  }

  async stop(): Promise<void> {
    await Promise.all([this.#beat.stop(), this.#links.stop()])
    this.#service.close()
  }
}
