/** Which node ran what, and when: a lane for each attempt that ran at the same time. Pure. */
import type { RunView, TaskView } from '@postern/protocol/api/runs.ts'

export interface LaneBar {
  readonly task: string
  readonly name: string
  readonly attempt: number
  readonly status: TaskView['attempts'][number]['status']
  /** From 0 to 1 of the time that is shown. */
  readonly from: number
  readonly to: number
}

export interface NodeLanes {
  readonly node: string
  readonly lanes: readonly (readonly LaneBar[])[]
}

export interface LanePicture {
  /** How long the time is that the lanes stand for. */
  readonly overMs: number
  readonly nodes: readonly NodeLanes[]
}

/** So many attempts are drawn; of more the newest. */
const MOST = 400

/** `now`: until when attempts that go on are drawn. */
export function nodeLanes(run: Pick<RunView, 'tasks'>, now: number): LanePicture {
  const attempts = run.tasks
    .flatMap((task) =>
      task.attempts.flatMap((attempt) => (attempt.node === null ? [] : [{ task, attempt, node: attempt.node, ...spanOf(attempt, now) }])),
    )
    .sort((a, b) => a.begin - b.begin)
    .slice(-MOST)
  const [first, last] = [Math.min(...attempts.map(({ begin }) => begin)), Math.max(...attempts.map(({ end }) => end))]
  const place = (at: number) => (last > first ? (at - first) / (last - first) : 0)
  const nodes = [...Map.groupBy(attempts, ({ node }) => node)]
    .map(([node, of]) => ({
      node,
      lanes: stacked(of).map((lane) =>
        lane.map(({ task, attempt, begin, end }) => ({
          ...{ task: task.id, name: task.name, attempt: attempt.number, status: attempt.status },
          ...{ from: place(begin), to: place(end) },
        })),
      ),
    }))
    .sort((a, b) => (a.node < b.node ? -1 : 1))
  return { overMs: attempts.length === 0 ? 0 : last - first, nodes }
}

const spanOf = ({ startedAt, endedAt }: TaskView['attempts'][number], now: number) => {
  const begin = Date.parse(startedAt)
  return { begin, end: Math.max(begin, endedAt === null ? now : Date.parse(endedAt)) }
}

/** Each in the first lane that is free by then. */
function stacked<Span extends { readonly begin: number; readonly end: number }>(spans: readonly Span[]): readonly (readonly Span[])[] {
  const lanes: Span[][] = []
  for (const span of spans) {
    const free = lanes.find((lane) => (lane.at(-1)?.end ?? 0) <= span.begin)
    if (free) free.push(span)
    else lanes.push([span])
  }
  return lanes
}
