/** The list of runs is read in pieces, at different moments: what is shown is made of them here. Pure. */
import type { ListOf } from '@postern/protocol/api/lists.ts'
import type { RunSummary } from '@postern/protocol/api/runs.ts'

export type RunPage = ListOf<RunSummary>

export interface RunPieces {
  /** Read as one scrolled down, each once. */
  readonly pages: readonly RunPage[]
  /** The first page, read again and again. */
  readonly newest: RunPage | undefined
  /** Older pages with runs that go on, read again while they are in view. */
  readonly reread: readonly RunPage[]
}

/** Newest first, each once, each as it was seen last. */
export function mergeRuns({ pages, newest, reread }: RunPieces): readonly RunSummary[] {
  const older = pages.flatMap(({ items }) => items)
  const top = newest?.items ?? []
  const last = top.at(-1)
  const known = new Set(top.map(({ id }) => id))
  const again = new Map(reread.flatMap(({ items }) => items.map((run) => [run.id, run] as const)))
  const whole = newest?.nextCursor === null
  // The first page says all there is down to its last run: what it lacks is no longer of the list.
  const gone = (run: RunSummary) => whole || (last !== undefined && run.createdAt > last.createdAt)
  const rest = older.filter((run) => !known.has(run.id) && !(newest && gone(run)))
  return [...top, ...rest.map((run) => again.get(run.id) ?? run)]
}

/** So many began meanwhile that the newest no longer cover the first page that was read: read all anew. */
export function hasGap({ pages, newest }: Pick<RunPieces, 'pages' | 'newest'>): boolean {
  const covered = pages[0]?.items.at(-1)
  const last = newest?.items.at(-1)
  if (!newest || newest.nextCursor === null || !covered || !last) return false
  return last.createdAt > covered.createdAt
}

export const isActive = ({ status }: Pick<RunSummary, 'status'>): boolean => status === 'queued' || status === 'running'

/** Which pages, of those that were read, hold these runs and have some that go on; the first one is read again anyway. */
export function pagesToReread(pages: readonly RunPage[], visible: ReadonlySet<string>): readonly number[] {
  return pages.flatMap(({ items }, index) => (index > 0 && items.some((run) => visible.has(run.id) && isActive(run)) ? [index] : []))
}
