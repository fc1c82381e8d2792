import { Code, Group, SimpleGrid, Stack, Text } from '@mantine/core'
import type { RunView } from '@postern/protocol/api/runs.ts'
import { count } from '../parts/figures.ts'
import { StatusMark } from '../parts/status-mark.tsx'
import { VerifiedParts } from './verified-parts.tsx'

/** What the comparison of both ends has found; parts that differ come first. */
export function VerificationView({ run }: { readonly run: RunView }) {
  const { verification, copy } = run
  const { method, status, sourceRows, targetRows, sourceChecksum, targetChecksum, notes, parts = [] } = verification
  if (method === 'none') return <Text c="dimmed">This copy is not verified: it was asked for without.</Text>
  return (
    <Stack gap="sm">
      <Group gap="md">
        <StatusMark status={status} />
        <Text size="sm" c="dimmed">
          by {method === 'counts' ? 'counting the rows at both ends' : 'checksums of all values at both ends'}
          {status === 'pending' && ', once all parts have moved'}
          {status === 'failed' && '. “Verify and repair” copies again only what differs.'}
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
      {parts.length > 0 && <VerifiedParts run={run} parts={parts} />}
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
