import type { RunFilter } from './run-filter.ts'

/** Keys of what is cached of runs: all begin with `runs`, so that a change can have all of them read anew. */
export const RUN_KEYS = {
  all: ['runs'],
  pages: (filter: RunFilter) => ['runs', 'pages', filter],
  newest: (filter: RunFilter) => ['runs', 'newest', filter],
  page: (filter: RunFilter, cursor: string) => ['runs', 'page', filter, cursor],
  run: (id: string) => ['runs', 'one', id],
} as const
