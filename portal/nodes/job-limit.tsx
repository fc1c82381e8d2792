import { Button, Group, NumberInput, Popover, Stack, Text, UnstyledButton } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useMutation } from '@tanstack/react-query'
import { memo, useState } from 'react'
import { api, KEYS, queryClient } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'

interface JobLimitProps {
  readonly gateway: string
  /** The node's. */
  readonly name: string
  readonly running: number
  readonly limit: number
  /** How the limit came about. */
  readonly reason: string
  readonly mayChange: boolean
}

/** Running of limit; the limit is changed where it stands, and holds within a second. */
export const JobLimit = memo(function JobLimit(props: JobLimitProps) {
  const { name, running, limit, mayChange } = props
  const [open, { toggle, close }] = useDisclosure(false)
  if (!mayChange) return `${running} of ${limit}`
  return (
    <Popover opened={open} onChange={(opened) => !opened && close()} position="bottom-end" withArrow trapFocus returnFocus>
      <Popover.Target>
        <UnstyledButton
          onClick={toggle}
          fz="inherit"
          td="underline dotted"
          aria-label={`Concurrent jobs of ${name}: ${running} of ${limit}. Change`}
        >
          {running} of {limit}
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown>{open && <NewLimit {...props} done={close} />}</Popover.Dropdown>
    </Popover>
  )
})

function NewLimit({ gateway, name, limit, reason, done }: JobLimitProps & { readonly done: () => void }) {
  const [value, setValue] = useState<string | number>(limit)
  const change = useMutation({
    mutationFn: (jobConcurrency: number | null) => api.nodes.change(gateway, name, { settings: { jobConcurrency } }),
    onSuccess: async () => {
      done()
      await queryClient.invalidateQueries({ queryKey: KEYS.gateway(gateway) })
    },
  })
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (typeof value === 'number') change.mutate(value)
      }}
    >
      <Stack gap="xs" w={240}>
        <NumberInput
          label="Copy tasks at a time"
          description={`Now ${reason}`}
          min={1}
          max={10_000}
          value={value}
          onChange={setValue}
          size="sm"
          data-autofocus
        />
        {change.error && <FaultNote cause={change.error} />}
        <Group justify="space-between">
          <Button variant="subtle" onClick={() => change.mutate(null)}>
            As the gateway
          </Button>
          <Button type="submit" disabled={typeof value !== 'number'} loading={change.isPending}>
            Set
          </Button>
        </Group>
        <Text size="xs" c="dimmed">
          What exceeds it waits in the gateway&apos;s queue.
        </Text>
      </Stack>
    </form>
  )
}
