import { Code, Group, SimpleGrid, Stack, Table, Text } from '@mantine/core'
import type { PartVerification, RunView } from '@postern/protocol/api/runs.ts'
import { count } from '../parts/figures.ts'
import { StatusMark } from '../parts/status-mark.tsx'

/** What the comparison of both ends has found; parts that differ come first. */
export function VerificationView({ run: { verification, copy } }: { readonly run: RunView }) {
  const { method, status, sourceRows, targetRows, sourceChecksum, targetChecksum, notes, parts = [] } = verification
  if (method === 'none') return <Text c="dimmed">This copy is not verified: it was asked for without.</Text>
  return (
    <Stack gap="sm">
      <Group gap="md">
        <StatusMark status={status} />
        <Text size="sm" c="dimmed">
          by {method === 'counts' ? 'counting the rows at both ends' : 'checksums of all values at both ends'}
        </Text>
      </Group>
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
        <End name={`Source, ${copy.source}`} rows={sourceRows} checksum={sourceChecksum} />
        <End name={`Target, ${copy.sink}`} rows={targetRows} checksum={targetChecksum} />
      </SimpleGrid>
      {notes.map((note) => (
        <Text key={note} size="sm">
          {note}
        </Text>
      ))}
      {parts.length > 0 && <Parts parts={parts} />}
    </Stack>
  )
}

function End({ name, rows, checksum }: { readonly name: string; readonly rows: number | null; readonly checksum: string | null }) {
  return (
    <div>
      <Text size="xs" c="dimmed">
        {name}
      </Text>
      <Text size="sm">{rows === null ? 'not counted' : `${count(rows)} rows`}</Text>
      {checksum !== null && <Code style={{ overflowWrap: 'anywhere' }}>{checksum}</Code>}
    </div>
  )
}

/** More would be a long way to scroll; those that differ are never left out. */
const MOST = 200

function Parts({ parts }: { readonly parts: readonly PartVerification[] }) {
  const ordered = [...parts].sort((a, b) => Number(a.status === 'same') - Number(b.status === 'same'))
  const differ = ordered.filter(({ status }) => status === 'differs').length
  const shown = ordered.slice(0, Math.max(MOST, differ))
  return (
    <Stack gap={4}>
      <Text size="sm">
        {count(differ)} of {count(parts.length)} parts differ
        {shown.length < parts.length && `; ${count(parts.length - shown.length)} that are the same are not shown`}
      </Text>
      <Table.ScrollContainer minWidth={560}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Part</Table.Th>
              <Table.Th>Found</Table.Th>
              <Table.Th ta="right">Rows at the source</Table.Th>
              <Table.Th ta="right">Rows in the target</Table.Th>
              <Table.Th ta="right">Left out</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {shown.map((part) => (
              <Table.Tr key={part.task}>
                <Table.Td>{part.name}</Table.Td>
                <Table.Td>
                  <StatusMark status={part.status} />
                </Table.Td>
                <Table.Td ta="right">{part.sourceRows === null ? '–' : count(part.sourceRows)}</Table.Td>
                <Table.Td ta="right">{part.targetRows === null ? '–' : count(part.targetRows)}</Table.Td>
                <Table.Td ta="right">{count(part.skippedRows)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Stack>
  )
}
