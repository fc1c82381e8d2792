import { Button, Group, NumberInput, Popover, Stack, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, KEYS, queryClient } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { useRights } from '../sign-in/use-rights.ts'

const KEY = [...KEYS.audit, 'settings']
const LONGEST_DAYS = 36_500

/** How long records are kept; what is older is deleted within ten minutes, so the change says so. */
export function KeepDays() {
  const { may } = useRights()
  const [open, { toggle, close }] = useDisclosure(false)
  const settings = useQuery({ queryKey: KEY, queryFn: ({ signal }) => api.audit.settings(signal), staleTime: 60_000 })
  if (!settings.data) return null
  const { keepDays } = settings.data
  return (
    <Group gap="xs">
      <Text size="sm" c="dimmed">
        Who did what, from where and with what outcome, newest first. {keepDays === 0 ? 'Kept for ever.' : `Kept for ${keepDays} days.`}
      </Text>
      {may('audit:write') && (
        <Popover opened={open} onChange={(opened) => !opened && close()} position="bottom-start" withArrow trapFocus>
          <Popover.Target>
            <Button variant="subtle" size="compact-xs" onClick={toggle}>
              Change
            </Button>
          </Popover.Target>
          <Popover.Dropdown>
            <Change key={keepDays} keepDays={keepDays} done={close} />
          </Popover.Dropdown>
        </Popover>
      )}
    </Group>
  )
}

function Change({ keepDays, done }: { readonly keepDays: number; readonly done: () => void }) {
  const [days, setDays] = useState<string | number>(keepDays)
  const save = useMutation({
    mutationFn: (wanted: number) => api.audit.set({ keepDays: wanted }),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: KEYS.audit })
      done()
    },
  })
  const shorter = typeof days === 'number' && days > 0 && (keepDays === 0 || days < keepDays)
  return (
    <Stack gap="xs" w={260}>
      <NumberInput label="Days to keep" description="0: for ever" min={0} max={LONGEST_DAYS} allowDecimal={false} value={days} onChange={setDays} />
      {shorter && (
        <Text size="sm" role="alert">
          What is older is deleted within ten minutes, for good. Export it first if it matters.
        </Text>
      )}
      {save.error && <FaultNote cause={save.error} />}
      <Group justify="flex-end">
        <Button
          {...(shorter ? { color: 'red' } : {})}
          disabled={typeof days !== 'number'}
          loading={save.isPending}
          onClick={() => typeof days === 'number' && save.mutate(days)}
        >
          {shorter ? 'Delete what is older' : 'Set'}
        </Button>
      </Group>
    </Stack>
  )
}
