import type { RunSummary } from '@postern/protocol/api/runs.ts'
import { useInfiniteQuery, useQueries, useQuery } from '@tanstack/react-query'
import { useEffect, useMemo } from 'react'
import { api } from '../app/client.ts'
import type { RunFilter } from './run-filter.ts'
import { RUN_KEYS } from './run-keys.ts'
import { hasGap, mergeRuns, pagesToReread, type RunPage } from './run-list.ts'

const PAGE = 100
/** Who scrolls on wants more at a time: ten thousand runs are twenty answers. */
const OLDER_PAGE = 500
const FIRST: string | null = null
/** More than a page: what comes in does not at once push out of sight what was read. */
const NEWEST = 150
const LIVE_MS = 2_000

export interface Runs {
  readonly runs: readonly RunSummary[]
  readonly cause: unknown
  readonly isLoading: boolean
  readonly isWhole: boolean
  readonly more: () => void
}

/** All runs that the filter lets through, as far as one has scrolled; what goes on is followed. `visible`: ids of those in view. */
export function useRuns(filter: RunFilter, visible: ReadonlySet<string>): Runs {
  const older = useInfiniteQuery({
    queryKey: RUN_KEYS.pages(filter),
    queryFn: ({ pageParam: cursor, signal }) =>
      api.runs.list({ ...filter, signal, ...(cursor === null ? { limit: PAGE } : { limit: OLDER_PAGE, cursor }) }),
    initialPageParam: FIRST,
    getNextPageParam: (page) => page.nextCursor,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
  })
  const newest = useQuery({
    queryKey: RUN_KEYS.newest(filter),
    queryFn: ({ signal }) => api.runs.list({ ...filter, limit: NEWEST, signal }),
    refetchInterval: LIVE_MS,
  })
  const pages = older.data?.pages ?? NONE
  const reread = useReread(filter, pages, (older.data?.pageParams ?? []) as readonly (string | null)[], visible)
  const gap = hasGap({ pages, newest: newest.data })
  const { refetch, isFetching } = older
  useEffect(() => {
    if (gap && !isFetching) void refetch()
  }, [gap, isFetching, refetch])
  return {
    runs: useMemo(() => mergeRuns({ pages, newest: newest.data, reread }), [pages, newest.data, reread]),
    cause: older.error ?? newest.error,
    isLoading: older.isPending,
    isWhole: !older.hasNextPage && older.data !== undefined,
    more: () => void (older.hasNextPage && !older.isFetching && older.fetchNextPage()),
  }
}

const NONE: readonly RunPage[] = []

/** Pages below the first in which something goes on, while they are in view. */
function useReread(filter: RunFilter, pages: readonly RunPage[], cursors: readonly (string | null)[], visible: ReadonlySet<string>) {
  return useQueries({
    queries: pagesToReread(pages, visible).flatMap((index) => {
      const cursor = cursors[index]
      if (cursor === undefined || cursor === null) return []
      return [
        {
          queryKey: RUN_KEYS.page(filter, cursor),
          queryFn: ({ signal }: { readonly signal: AbortSignal }) => api.runs.list({ ...filter, limit: OLDER_PAGE, cursor, signal }),
          refetchInterval: LIVE_MS,
        },
      ]
    }),
    combine: readPages,
  })
}

const readPages = (results: readonly { readonly data: RunPage | undefined }[]): readonly RunPage[] =>
  results.flatMap(({ data }) => (data ? [data] : []))
