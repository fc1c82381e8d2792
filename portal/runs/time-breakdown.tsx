import { ColorSwatch, Group, Progress, Stack, Text, Tooltip } from '@mantine/core'
import type { TimeBreakdown as Times } from '@postern/protocol/api/runs.ts'
import { duration, percent } from '../parts/figures.ts'
import { timeShares } from './time-shares.ts'

/** Where the time of all tasks went, one after the other: longer than the clock where several moved at a time. */
export function TimeBreakdown({ times, label = 'Where the time of its tasks went' }: { readonly times: Times; readonly label?: string }) {
  const shares = timeShares(times)
  if (shares.length === 0) return null
  return (
    <Stack gap={6}>
      <Text size="xs" c="dimmed">
        {label}
      </Text>
      <Progress.Root size="md" aria-hidden="true">
        {shares.map(({ name, color, percent: share }) => share > 0 && <Progress.Section key={name} value={share} color={color} />)}
      </Progress.Root>
      <Group gap="4px 16px">
        {shares.map(({ name, means, color, ms, percent: share }) => (
          <Tooltip key={name} label={means}>
            <Group gap={6} wrap="nowrap" tabIndex={0}>
              <ColorSwatch color={`var(--mantine-color-${color.replace('.', '-')})`} size={10} withShadow={false} aria-hidden="true" />
              <Text size="sm">
                {name} {duration(ms)}
                <Text span size="xs" c="dimmed">
                  {' '}
                  {percent(share)}
                </Text>
              </Text>
            </Group>
          </Tooltip>
        ))}
      </Group>
    </Stack>
  )
}
