/** The last five minutes of what is measured, as lines: what the service kept, and what came since the page was opened. Pure. */
import type { FigureColumns } from '@postern/protocol/api/node-history.ts'

/** As often as the service takes a sample; more points would be drawn each second, and a small line shows no more. */
const SLOT_MS = 5_000
/** Five minutes. */
const MOST = 60

/** What a node says of itself, and a gateway of all its nodes. */
export interface Measured {
  readonly id: string
  readonly name: string
  /** What is away has no figures. */
  readonly live: boolean
  readonly availableMemoryBytes: number
  readonly totalMemoryBytes: number
  readonly cpuPercent: number
  readonly networkInBytesPerSecond: number
  readonly networkOutBytesPerSecond: number
  readonly runningJobs: number
  readonly jobLimit: number
  readonly runningQueries: number
  readonly queryLimit: number
}

type FigureName = 'cpu' | 'memory' | 'network' | 'jobs' | 'queries'
/** null: it was away, or nobody looked. */
type Figure = number | null

/** Columns of the same length, oldest first. */
export type RecentFigures = Readonly<Record<FigureName, readonly Figure[]>>

export interface RecentLine {
  /** Of its newest figures. */
  readonly slot: number
  readonly figures: RecentFigures
}

export const NO_FIGURES: RecentFigures = { cpu: [], memory: [], network: [], jobs: [], queries: [] }

export const slotAt = (ms: number): number => Math.floor(ms / SLOT_MS)

/** With those of now. The first of a slot stand for it: so a line changes, and is drawn, once in a slot. */
export function withNow(line: RecentLine | undefined, now: Measured, slot: number): RecentLine {
  if (line && slot <= line.slot) return line
  const unseen = Array.from({ length: line ? Math.min(slot - line.slot - 1, MOST) : 0 }, () => null)
  const sample = sampleOf(now)
  return { slot, figures: ofEach((name) => [...(line?.figures[name] ?? []), ...unseen, sample[name]].slice(-MOST)) }
}

/** What is missing in a line from what was kept, whose newest are of this slot. */
export function withKept(line: RecentLine, kept: RecentFigures, slot: number): RecentLine {
  const { cpu } = line.figures
  const length = Math.min(MOST, Math.max(cpu.length, line.slot - slot + kept.cpu.length))
  const back = Array.from({ length }, (_, index) => length - 1 - index)
  return {
    slot: line.slot,
    figures: ofEach((name) => {
      const [own, other] = [line.figures[name], kept[name]]
      return back.map((slots) => own[own.length - 1 - slots] ?? other[other.length - 1 - slots + (line.slot - slot)] ?? null)
    }),
  }
}

/** Of one node, as the service tells them. */
export const figuresOf = (columns: FigureColumns): RecentFigures => ({
  cpu: columns.cpuPercent,
  memory: columns.availableMemoryBytes,
  network: columns.networkInBytesPerSecond.map((received, index) => plus(received, columns.networkOutBytesPerSecond[index] ?? null)),
  jobs: columns.runningJobs,
  queries: columns.runningQueries,
})

/** Of all nodes of a gateway: the average of CPU, the sum of the rest, of those that were there. */
export function figuresOfAll(nodes: readonly FigureColumns[]): RecentFigures {
  const each = nodes.map(figuresOf)
  const length = Math.max(0, ...each.map(({ cpu }) => cpu.length))
  return ofEach((name) =>
    Array.from({ length }, (_, index) => {
      // The newest of all stand at the end: a node that is new has fewer.
      const there = each.flatMap((figures) => figures[name].at(index - length) ?? [])
      const sum = there.reduce((all, one) => all + one, 0)
      return there.length === 0 ? null : name === 'cpu' ? sum / there.length : sum
    }),
  )
}

const sampleOf = (now: Measured): Readonly<Record<FigureName, Figure>> => ({
  cpu: now.live ? now.cpuPercent : null,
  memory: now.live ? now.availableMemoryBytes : null,
  network: now.live ? now.networkInBytesPerSecond + now.networkOutBytesPerSecond : null,
  jobs: now.live ? now.runningJobs : null,
  queries: now.live ? now.runningQueries : null,
})

const plus = (one: Figure, other: Figure): Figure => (one === null || other === null ? null : one + other)

const ofEach = (column: (name: FigureName) => readonly Figure[]): RecentFigures => ({
  cpu: column('cpu'),
  memory: column('memory'),
  network: column('network'),
  jobs: column('jobs'),
  queries: column('queries'),
})
