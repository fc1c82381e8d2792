import { Button, Group, NumberInput, Popover, Stack, Text, UnstyledButton } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import type { NodeView } from '@postern/protocol/api/gateways.ts'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { api, KEYS, queryClient } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'

/** Running of limit; the limit is changed where it stands, and holds within a second. */
export function JobLimit({ node }: { readonly node: NodeView }) {
  const [open, { toggle, close }] = useDisclosure(false)
  const [value, setValue] = useState<string | number>(node.jobLimit)
  const change = useMutation({
    mutationFn: (jobConcurrency: number | null) => api.nodes.change(node.gateway, node.name, { settings: { jobConcurrency } }),
    onSuccess: async () => {
      close()
      await queryClient.invalidateQueries({ queryKey: KEYS.gateway(node.gateway) })
    },
  })
  return (
    <Popover opened={open} onChange={(opened) => !opened && close()} position="bottom-end" withArrow trapFocus>
      <Popover.Target>
        <UnstyledButton
          onClick={() => {
            setValue(node.jobLimit)
            toggle()
          }}
          fz="sm"
          td="underline dotted"
          aria-label={`Concurrent jobs of ${node.name}: ${node.runningJobs} of ${node.jobLimit}. Change`}
        >
          {node.runningJobs} of {node.jobLimit}
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="xs" w={240}>
          <NumberInput
            label="Copy tasks at a time"
            description={`Now ${node.jobLimitReason}`}
            min={1}
            max={10_000}
            value={value}
            onChange={setValue}
            size="sm"
          />
          {change.error && <FaultNote cause={change.error} />}
          <Group justify="space-between">
            <Button variant="subtle" onClick={() => change.mutate(null)}>
              As the gateway
            </Button>
            <Button onClick={() => typeof value === 'number' && change.mutate(value)} loading={change.isPending}>
              Set
            </Button>
          </Group>
          <Text size="xs" c="dimmed">
            What exceeds it waits in the gateway&apos;s queue.
          </Text>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  )
}
