import { Group, Loader, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import { StatusMark } from '../parts/status-mark.tsx'
import { useGateway } from './use-gateway.ts'

/** Who has joined since this was opened: what was typed on the machine worked. */
export function NewNodes({ gateway }: { readonly gateway: string }) {
  const { data } = useGateway(gateway)
  const [known] = useState(() => new Set(data?.nodes.map(({ id }) => id)))
  const joined = data?.nodes.filter(({ id }) => !known.has(id)) ?? []
  return (
    <Stack gap={4} role="status" aria-label="Nodes that have joined">
      {joined.map(({ id, name, status, statusReasons }) => (
        <Group key={id} gap="sm">
          <Text size="sm">
            <b>{name}</b> has joined
          </Text>
          <StatusMark status={status} reasons={statusReasons} />
        </Group>
      ))}
      {joined.length === 0 && (
        <Group gap="xs">
          <Loader size={14} aria-hidden="true" />
          <Text size="sm" c="dimmed">
            Waits for a machine to join
          </Text>
        </Group>
      )}
    </Stack>
  )
}
