/** A process full of nodes for bench/links.ts: each has its own key, the node's real link and beat, and no work. Told what to do over IPC. */
import { systemClock } from '@postern/base/clock.ts'
import { silentLog } from '@postern/base/log.ts'
import { systemRandom } from '@postern/base/random.ts'
import { VERSION } from '@postern/base/version.ts'
import { Router } from '@postern/node/app/router.ts'
import { Beat } from '@postern/node/beat/beat.ts'
import { BeatLine } from '@postern/node/beat/beat-line.ts'
import { Dialler } from '@postern/node/calls/dialler.ts'
import { ServiceClient } from '@postern/node/calls/service-client.ts'
import { parseServiceUrl } from '@postern/node/calls/service-url.ts'
import { Identity } from '@postern/node/identity/identity.ts'
import { Links } from '@postern/node/link/links.ts'
import { NodeId } from '@postern/protocol/ids.ts'

/** What the parent sends: which nodes this process is. */
export interface ManyNodes {
  readonly url: string
  readonly nodes: readonly { readonly id: string; readonly identity: string }[]
  /** Started over so long a time. */
  readonly spreadMs: number
}

/** What this process tells each second. */
export interface ManyNodesSaid {
  readonly linked: number
  /** Whose last beat was answered. */
  readonly beating: number
  readonly byLink: number
  /** When links came up, in milliseconds since 1970, since the last report. */
  readonly linkedAt: readonly number[]
}

const base = { clock: systemClock, random: systemRandom, log: silentLog }
const MACHINE = { cores: 4, totalMemoryBytes: 8e9, networkInBytesPerSecond: 0, networkOutBytesPerSecond: 0, networkReason: null }
const RAW = () => 'raw' as const

class SmallNode {
  readonly #links: Links
  readonly #beat: Beat
  readonly line: BeatLine
  #tag: string | null = null
  wasUp = false

  constructor(url: string, { id, identity }: ManyNodes['nodes'][number]) {
    const dialler = new Dialler({ target: parseServiceUrl(url), environment: {}, proxyUrl: () => '' })
    const service = new ServiceClient({
      dialler,
      clock: systemClock,
      signer: { identity: Identity.parse(identity), nodeId: NodeId.parse(id) },
    })
    this.line = new BeatLine({ clock: systemClock })
    const router = new Router({ routes: this.line.routes, log: silentLog })
    this.#links = new Links({ ...base, dialler, service, router, remembered: RAW, remember: async () => undefined })
    this.#beat = new Beat({
      ...base,
      service,
      line: this.line,
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
}

process.once('message', ({ url, nodes, spreadMs }: ManyNodes) => {
  const all = nodes.map((node) => new SmallNode(url, node))
  for (const [index, node] of all.entries()) setTimeout(() => void node.start().catch(() => undefined), (index / all.length) * spreadMs)
  let linkedAt: number[] = []
  setInterval(() => {
    for (const node of all) {
      if (node.linked && !node.wasUp) linkedAt.push(Date.now())
      node.wasUp = node.linked
    }
  }, 50)
  setInterval(() => {
    const count = (is: (node: SmallNode) => boolean) => all.filter(is).length
    const said: ManyNodesSaid = {
      linked: count((node) => node.linked),
      beating: count((node) => node.beating),
      byLink: count((node) => node.line.open),
      linkedAt,
    }
    linkedAt = []
    process.send?.(said)
  }, 1_000)
})
process.once('disconnect', () => process.exit())
