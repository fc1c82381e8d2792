import { Anchor } from '@mantine/core'
import type { QueryView } from '@postern/protocol/api/queries.ts'
import { Link } from '@tanstack/react-router'
import { bytes } from '../parts/figures.ts'
import { type Column, VirtualTable } from '../runs/virtual-table.tsx'
import { OutcomeMark } from './outcome-mark.tsx'

/** "QUERY_FAILED: the text" → its code; the whole stands on the query's page. */
const codeOf = (fault: string) => fault.split(':', 1)[0] ?? fault

const COLUMNS: readonly Column<QueryView>[] = [
  {
    title: 'Began',
    width: '180px',
    cell: ({ id, startedAt }) => (
      <Anchor size="sm" renderRoot={(props) => <Link to="/queries/log/$query" params={{ query: id }} {...props} />}>
        {new Date(startedAt).toLocaleString()}
      </Anchor>
    ),
  },
  { title: 'Store', width: 'minmax(110px, 1fr)', cell: ({ store }) => store },
  {
    title: 'Ended',
    width: 'minmax(190px, 1.4fr)',
    cell: ({ outcome, fault }) => (
      <span title={fault ?? undefined}>
        <OutcomeMark outcome={outcome} word={fault === null ? outcome : codeOf(fault)} />
      </span>
    ),
  },
  { title: 'Caller', width: 'minmax(110px, 1fr)', cell: ({ caller }) => caller },
  { title: 'Node', width: 'minmax(110px, 1fr)', cell: ({ node }) => node ?? '–' },
  {
    title: 'Took',
    width: '100px',
    right: true,
    cell: ({ durationMs }) => (durationMs === null ? '' : `${Math.round(durationMs).toLocaleString()} ms`),
  },
  { title: 'Rows', width: '90px', right: true, cell: ({ rows }) => rows.toLocaleString() },
  { title: 'Sent', width: '90px', right: true, cell: (query) => bytes(query.bytes) },
]

export interface LogTableProps {
  readonly queries: readonly QueryView[]
  readonly hasMore: boolean
  readonly more: () => void
}

/** The next page is asked for when the last row comes in sight. */
export function LogTable({ queries, hasMore, more }: LogTableProps) {
  return (
    <VirtualTable
      label="Queries"
      items={queries}
      columns={COLUMNS}
      idOf={({ id }) => id}
      rowHeight={34}
      maxHeight="max(320px, calc(100dvh - 260px))"
      minWidth={1_040}
      isWhole={!hasMore}
      onEnd={more}
    />
  )
}
