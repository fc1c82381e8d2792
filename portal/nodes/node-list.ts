/** Which nodes of a gateway are shown, and in which order: it stands in the address. */
import type { NodeStatus, NodeView } from '@postern/protocol/api/gateways.ts'

export const SORTS = ['name', 'status', 'version', 'memory', 'cpu', 'network', 'jobs', 'queries', 'credentials'] as const
export type SortName = (typeof SORTS)[number]

/** What needs somebody first. */
const URGENCY: Readonly<Record<NodeStatus, number>> = {
  offline: 0,
  inactive: 1,
  limited: 2,
  upgrading: 3,
  draining: 4,
  disabled: 5,
  online: 6,
}

/** `trouble`: whatever is not online. */
export type Wanted = NodeStatus | 'trouble'
export const WANTED = ['trouble', ...Object.keys(URGENCY)] as readonly Wanted[]

export interface NodeSearch {
  readonly find?: string | undefined
  readonly status?: Wanted | undefined
  /** `-cpu`: the largest first. Left out: in the order of joining. */
  readonly sort?: SortName | `-${SortName}` | undefined
}

type Asked = Readonly<Record<string, unknown>>

export function readNodeSearch({ find, status, sort }: Asked): NodeSearch {
  const text = typeof find === 'number' ? String(find) : find
  return {
    find: typeof text === 'string' && text !== '' ? text : undefined,
    status: WANTED.find((one) => one === status),
    sort: SORTS.flatMap((name) => [name, `-${name}`] as const).find((one) => one === sort),
  }
}

type Listed = Pick<
  NodeView,
  | 'name'
  | 'status'
  | 'version'
  | 'role'
  | 'labels'
  | 'credentialStatus'
  | 'availableMemoryBytes'
  | 'cpuPercent'
  | 'networkInBytesPerSecond'
  | 'networkOutBytesPerSecond'
  | 'runningJobs'
  | 'runningQueries'
>

/** Those with every word somewhere in their name, role, version or labels, and the status that is wanted. */
export function matchingNodes<Node extends Listed>(nodes: readonly Node[], { find = '', status }: NodeSearch): readonly Node[] {
  const words = find.toLowerCase().split(/\s+/).filter(Boolean)
  return nodes.filter((node) => {
    if (status === 'trouble' ? node.status === 'online' : status !== undefined && node.status !== status) return false
    const labels = Object.entries(node.labels).map(([key, value]) => `${key}=${value}`)
    const all = [node.name, node.role, node.version, ...labels].join('\n').toLowerCase()
    return words.every((word) => all.includes(word))
  })
}

const MARKS: Readonly<Record<SortName, (node: Listed) => number | string>> = {
  name: ({ name }) => name,
  status: ({ status }) => URGENCY[status],
  version: ({ version }) => version,
  memory: ({ availableMemoryBytes }) => availableMemoryBytes,
  cpu: ({ cpuPercent }) => cpuPercent,
  network: (node) => node.networkInBytesPerSecond + node.networkOutBytesPerSecond,
  jobs: ({ runningJobs }) => runningJobs,
  queries: ({ runningQueries }) => runningQueries,
  credentials: ({ credentialStatus }) => credentialStatus,
}

export function sortedNodes<Node extends Listed>(nodes: readonly Node[], sort: NodeSearch['sort']): readonly Node[] {
  if (sort === undefined) return nodes
  const { name, falling } = readSort(sort)
  const mark = MARKS[name]
  const rising = nodes.toSorted((a, b) => compare(mark(a), mark(b)) || compare(a.name, b.name))
  return falling ? rising.toReversed() : rising
}

function compare(a: number | string, b: number | string): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b), 'en', { numeric: true })
}

export interface SortState {
  readonly name: SortName
  readonly falling: boolean
}

export function readSort(sort: SortName | `-${SortName}`): SortState {
  const falling = sort.startsWith('-')
  const name = falling ? sort.slice(1) : sort
  return { name: SORTS.find((one) => one === name) ?? 'name', falling }
}

/** Names rise first, figures fall first: who sorts by CPU looks for the busiest. */
const RISES_FIRST: ReadonlySet<SortName> = new Set(['name', 'status', 'version', 'credentials', 'memory'])

/** After a press on a head: one way, the other way, as it was. */
export function nextSort(now: NodeSearch['sort'], name: SortName): NodeSearch['sort'] {
  const [first, second] = RISES_FIRST.has(name) ? ([name, `-${name}`] as const) : ([`-${name}`, name] as const)
  if (now === first) return second
  return now === second ? undefined : first
}
