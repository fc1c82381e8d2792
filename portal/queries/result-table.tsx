import { Text } from '@mantine/core'
import { useMemo } from 'react'
import { type Column, VirtualTable } from '../runs/virtual-table.tsx'
import { cellOf, isNumeric, type Row, widthsOf } from './result-rows.ts'

const ROW_PX = 28
/** Of the small monospace letters. */
const LETTER_PX = 7.4
const NUMBER_PX = 60
const PADDING_PX = 16

interface NumberedRow {
  readonly number: number
  readonly row: Row
}

export interface ResultTableProps {
  readonly names: readonly string[]
  readonly rows: readonly Row[]
  /** Rows grow in place while they come. */
  readonly count: number
}

export function ResultTable({ names, rows, count }: ResultTableProps) {
  const items = useMemo(() => rows.slice(0, count).map((row, index) => ({ number: index + 1, row })), [rows, count])
  const widths = widthsOf(names, rows).map((letters) => Math.ceil(letters * LETTER_PX) + PADDING_PX)
  const columns: readonly Column<NumberedRow>[] = [
    {
      title: names.includes('#') ? '# ' : '#',
      width: `${NUMBER_PX}px`,
      right: true,
      cell: ({ number }) => <RowNumber text={String(number)} />,
    },
    ...names.map((name, at) => ({
      title: name,
      // The last one takes what is left: figures stay beside what they belong to.
      width: at === names.length - 1 ? `minmax(${widths[at]}px, 1fr)` : `${widths[at]}px`,
      right: isNumeric(name, rows),
      cell: ({ row }: NumberedRow) => <Cell value={row[name]} />,
    })),
  ]
  return (
    <VirtualTable
      label="Rows of the result"
      items={items}
      columns={columns}
      idOf={({ number }) => String(number)}
      rowHeight={ROW_PX}
      maxHeight="min(60vh, 560px)"
      minWidth={widths.reduce((sum, width) => sum + width + PADDING_PX, NUMBER_PX + PADDING_PX)}
    />
  )
}

function RowNumber({ text }: { readonly text: string }) {
  return (
    <Text span size="xs" ff="monospace" c="dimmed">
      {text}
    </Text>
  )
}

/** Longer texts are in the tip, up to here. */
const TIP = 2_000

function Cell({ value }: { readonly value: unknown }) {
  const cell = cellOf(value)
  if (cell.is === 'null')
    return (
      <Text span size="xs" c="dimmed" fs="italic">
        null
      </Text>
    )
  return (
    <Text span size="xs" ff="monospace" style={{ whiteSpace: 'pre' }} title={cell.text.slice(0, TIP)}>
      {cell.text.split('\n', 1)[0]}
    </Text>
  )
}
