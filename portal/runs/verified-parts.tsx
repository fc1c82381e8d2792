import { Anchor, Group, Stack, Text } from '@mantine/core'
import type { PartVerification, RunView } from '@postern/protocol/api/runs.ts'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import { count } from '../parts/figures.ts'
import { StatusMark } from '../parts/status-mark.tsx'
import { useNarrow } from './use-narrow.ts'
import { type Column, VirtualTable } from './virtual-table.tsx'

type Columns = readonly Column<PartVerification>[]

/** Part by part, those that differ first. */
export function VerifiedParts({ run, parts }: { readonly run: RunView; readonly parts: readonly PartVerification[] }) {
  const narrow = useNarrow()
  const ordered = useMemo(() => [...parts].sort((a, b) => Number(a.status === 'same') - Number(b.status === 'same')), [parts])
  const differ = parts.filter(({ status }) => status === 'differs').length
  return (
    <Stack gap={4}>
      <Text size="sm">
        {differ === 0 ? 'None' : count(differ)} of {count(parts.length)} {parts.length === 1 ? 'part' : 'parts'}{' '}
        {differ > 1 ? 'differ' : 'differs'}
      </Text>
      <VirtualTable
        key={narrow ? 'lines' : 'columns'}
        label="Parts compared"
        items={ordered}
        columns={narrow ? linesOf(run.id) : columnsOf(run)}
        idOf={({ task }) => task}
        rowHeight={narrow ? 58 : 34}
        minWidth={narrow ? 0 : 880}
        maxHeight="min(420px, 70dvh)"
      />
    </Stack>
  )
}

const PartLink = ({ run, part: { task, name } }: { readonly run: string; readonly part: PartVerification }) => (
  <Anchor size="sm" fw={500} title={name} renderRoot={(props) => <Link to="/runs/$run" params={{ run }} search={{ task }} {...props} />}>
    {name}
  </Anchor>
)

const columnsOf = ({ id, verification: { method } }: RunView): Columns => [
  { title: 'Part', width: 'minmax(160px, 1fr)', cell: (part) => <PartLink run={id} part={part} /> },
  { title: 'Found', width: '80px', cell: ({ status }) => <StatusMark status={status} /> },
  { title: 'Source rows', width: '100px', right: true, cell: ({ sourceRows }) => rowsOf(sourceRows) },
  { title: 'Target rows', width: '100px', right: true, cell: ({ targetRows }) => rowsOf(targetRows) },
  { title: 'Left out', width: '70px', right: true, cell: ({ skippedRows }) => count(skippedRows) },
  ...(method === 'checksum' ? CHECKSUMS : []),
]

const CHECKSUMS: Columns = [
  { title: 'Source checksum', width: '124px', right: true, cell: ({ sourceChecksum }) => <Checksum text={sourceChecksum} /> },
  { title: 'Target checksum', width: '124px', right: true, cell: ({ targetChecksum }) => <Checksum text={targetChecksum} /> },
]

/** On a phone: two lines a part. */
const linesOf = (run: string): Columns => [
  {
    title: 'Part',
    width: 'minmax(0, 1fr)',
    cell: (part) => (
      <>
        <PartLink run={run} part={part} />
        <Group gap="sm" wrap="nowrap" justify="space-between">
          <StatusMark status={part.status} />
          <Text size="xs" c="dimmed" component="span" truncate>
            {rowsOf(part.sourceRows)} rows, {rowsOf(part.targetRows)} in the target
          </Text>
        </Group>
      </>
    ),
  },
]

const rowsOf = (rows: number | null) => (rows === null ? '–' : count(rows))

/** So many of its last digits tell two apart; all are in the tip. */
const DIGITS = 8

function Checksum({ text }: { readonly text: string | null }) {
  if (text === null) return '–'
  return <span title={text}>{text.length > DIGITS ? `…${text.slice(-DIGITS)}` : text}</span>
}
