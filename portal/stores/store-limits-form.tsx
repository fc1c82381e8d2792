import { Button, Group, NumberInput, SimpleGrid, Stack, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import type { StoreLimits } from '@postern/protocol/api/query-limits.ts'
import type { StoreView } from '@postern/protocol/api/stores.ts'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { api, KEYS, queryClient } from '../app/client.ts'
import { UNDER } from '../copies/section.tsx'
import { FaultNote } from '../parts/fault-note.tsx'
import { unitSection } from '../parts/unit-section.tsx'

interface Limit {
  readonly title: string
  readonly says: string
  readonly unit: string
  readonly min: number
}

const LIMITS: Readonly<Record<keyof StoreLimits, Limit>> = {
  timeoutMs: { title: 'Time of a query', says: 'From its arrival to the last byte', unit: 'ms', min: 1 },
  maxRows: { title: 'Rows of a result', says: 'A longer one is cut', unit: 'rows', min: 1 },
  maxBytes: { title: 'Size of a result', says: 'In the format that was asked for; a larger one is cut', unit: 'bytes', min: 1 },
  concurrency: { title: 'Queries at a time', says: 'At each replica of the service', unit: '', min: 1 },
  connections: { title: 'Connections at a time', says: 'psql, drivers, postern connect; 0: none', unit: '', min: 0 },
  rowsPerSecond: { title: 'Rows a second', says: 'Of all copies of the store together', unit: 'rows/s', min: 1 },
  bytesPerSecond: { title: 'Bytes a second', says: 'Of all copies of the store together', unit: 'B/s', min: 1_024 },
  copyTasks: { title: 'Copy tasks at a time', says: 'Over all nodes', unit: '', min: 1 },
}
const NAMES = Object.keys(LIMITS) as readonly (keyof StoreLimits)[]

/** What protects the store; the strictest of its own, the caller's and the request's limits holds. */
export function StoreLimitsForm({ store }: { readonly store: StoreView }) {
  const [typed, setTyped] = useState<Readonly<Partial<Record<keyof StoreLimits, unknown>>>>(store.limits)
  const change = useMutation({
    mutationFn: () => api.stores.change(store.name, { limits: Object.fromEntries(NAMES.map((name) => [name, limitOf(typed[name])])) }),
    onSuccess: async () => {
      notifications.show({ message: `The limits of ${store.name} hold from now on.` })
      await queryClient.invalidateQueries({ queryKey: KEYS.stores })
    },
  })
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        change.mutate()
      }}
    >
      <Stack gap="md" maw={860}>
        <Text size="sm" c="dimmed">
          What is left empty is not limited. Of these, a caller&apos;s own limits and those of a request, the strictest holds.
        </Text>
        <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="md" verticalSpacing="sm">
          {NAMES.map((name) => (
            <NumberInput
              key={name}
              size="sm"
              label={LIMITS[name].title}
              description={LIMITS[name].says}
              inputWrapperOrder={UNDER}
              min={LIMITS[name].min}
              allowDecimal={false}
              allowNegative={false}
              thousandSeparator=","
              hideControls
              {...(LIMITS[name].unit !== '' && unitSection(LIMITS[name].unit))}
              placeholder="not limited"
              value={shownOf(typed[name])}
              onChange={(value) => setTyped((before) => ({ ...before, [name]: value }))}
            />
          ))}
        </SimpleGrid>
        {change.error && <FaultNote cause={change.error} />}
        <Group justify="flex-end">
          <Button type="submit" loading={change.isPending}>
            Set the limits
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

const shownOf = (value: unknown) => (typeof value === 'number' || typeof value === 'string' ? value : '')
const limitOf = (value: unknown) => (value === undefined || value === '' ? null : Number(value))
