import { Button, Table, Text } from '@mantine/core'
import { duration } from '../parts/figures.ts'
import { StatusMark } from '../parts/status-mark.tsx'
import classes from './results-table.module.css'

export interface Result {
  readonly durationMs: number
  readonly fault: { readonly message: string; readonly remedy: string } | null
  readonly said?: string | undefined
}

export interface ResultRow {
  readonly id: string
  readonly name: string
  readonly about: string
  readonly result: Result | 'asked' | undefined
  /** Left out where rows are not tried one by one. */
  readonly test?: () => void
}

interface ResultsTableProps {
  readonly what: string
  readonly about: string
  readonly rows: readonly ResultRow[]
}

export function ResultsTable({ what, about, rows }: ResultsTableProps) {
  return (
    <Table className={classes['table'] ?? ''}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{what}</Table.Th>
          <Table.Th>{about}</Table.Th>
          <Table.Th>Result</Table.Th>
          <Table.Th ta="right">Took</Table.Th>
          <Table.Th w="45%">What it says</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rows.map((row) => (
          <Row key={row.id} {...row} />
        ))}
      </Table.Tbody>
    </Table>
  )
}

function Row({ name, about, result, test }: ResultRow) {
  const done = typeof result === 'object' ? result : undefined
  return (
    <Table.Tr>
      <Table.Td>{name}</Table.Td>
      <Table.Td className={classes['about'] ?? ''}>{about}</Table.Td>
      <Table.Td>
        {done && <StatusMark status={done.fault ? 'failed' : 'passed'} />}
        {!done && test && (
          <Button variant="subtle" size="compact-xs" onClick={test} loading={result === 'asked'} aria-label={`Test ${name}`}>
            Test
          </Button>
        )}
      </Table.Td>
      <Table.Td className={classes['took'] ?? ''}>{done && duration(done.durationMs)}</Table.Td>
      <Table.Td className={classes['says'] ?? ''}>
        {done?.fault?.message ?? done?.said}
        {done?.fault && (
          <Text size="sm" c="dimmed">
            {done.fault.remedy}
          </Text>
        )}
      </Table.Td>
    </Table.Tr>
  )
}
