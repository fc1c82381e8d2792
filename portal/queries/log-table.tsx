import { Anchor, Group, Text } from '@mantine/core'
import type { QueryView } from '@postern/protocol/api/queries.ts'
import { Link } from '@tanstack/react-router'
import { bytes, count, duration, moment, secondMoment } from '../parts/figures.ts'
import { useNarrow } from '../runs/use-narrow.ts'
import { type Column, VirtualTable } from '../runs/virtual-table.tsx'
import { OutcomeMark } from './outcome-mark.tsx'

/** "QUERY_FAILED: the text" → its code; the whole stands on the query's page. */
const codeOf = (fault: string) => fault.split(':', 1)[0] ?? fault

const began = ({ id, startedAt }: QueryView) => (
  <Anchor size="sm" title={moment(startedAt)} renderRoot={(props) => <Link to="/queries/log/$query" params={{ query: id }} {...props} />}>
    {secondMoment(startedAt)}
  </Anchor>
)
const ended = ({ outcome, fault }: QueryView) => (
  <span title={fault ?? undefined}>
    <OutcomeMark outcome={outcome} word={fault === null ? outcome : codeOf(fault)} />
  </span>
)
const took = ({ durationMs }: QueryView) => (durationMs === null ? '' : duration(durationMs))

const COLUMNS: readonly Column<QueryView>[] = [
  { title: 'Began', width: '164px', cell: began },
  { title: 'Store', width: 'minmax(96px, 1fr)', cell: ({ store }) => store },
  { title: 'Ended', width: 'minmax(190px, 1.4fr)', cell: ended },
  { title: 'Caller', width: 'minmax(90px, 1fr)', cell: ({ caller }) => caller },
  { title: 'Node', width: 'minmax(90px, 1fr)', cell: ({ node }) => node ?? '–' },
  { title: 'Took', width: '84px', right: true, cell: took },
  { title: 'Rows', width: '90px', right: true, cell: ({ rows }) => count(rows) },
  { title: 'Sent', width: '90px', right: true, cell: (query) => bytes(query.bytes) },
]

/** On a phone: two lines a query. */
const LINES: readonly Column<QueryView>[] = [
  {
    title: 'Queries',
    width: 'minmax(0, 1fr)',
    cell: (query) => (
      <>
        <Group gap="sm" wrap="nowrap" justify="space-between">
          {began(query)}
          <Text size="sm" component="span" truncate>
            {query.store}
          </Text>
        </Group>
        <Group gap="sm" wrap="nowrap" justify="space-between">
          {ended(query)}
          <Text size="xs" c="dimmed" component="span">
            {count(query.rows)} rows{query.durationMs !== null && ` · ${took(query)}`}
          </Text>
        </Group>
      </>
    ),
  },
]

export interface LogTableProps {
  readonly queries: readonly QueryView[]
  readonly hasMore: boolean
  readonly more: () => void
}

/** The next page is asked for when the last row comes in sight. */
export function LogTable({ queries, hasMore, more }: LogTableProps) {
  const isNarrow = useNarrow()
  return (
    <VirtualTable
      key={isNarrow ? 'lines' : 'columns'}
      label="Queries"
      items={queries}
      columns={isNarrow ? LINES : COLUMNS}
      idOf={({ id }) => id}
      rowHeight={isNarrow ? 52 : 34}
      maxHeight="max(320px, calc(100dvh - 260px))"
      minWidth={isNarrow ? 0 : 1_010}
      isWhole={!hasMore}
      onEnd={more}
    />
  )
}
