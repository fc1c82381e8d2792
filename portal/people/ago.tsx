import { Text, Tooltip } from '@mantine/core'
import { moment } from '../parts/figures.ts'
import { ago } from './times.ts'

/** How long ago; the exact time on demand, by keyboard too. */
export function Ago({ at }: { readonly at: string | null }) {
  if (at === null)
    return (
      <Text size="sm" c="dimmed">
        never
      </Text>
    )
  return (
    <Tooltip label={moment(at)}>
      <Text size="sm" component="time" dateTime={at} tabIndex={0} w="fit-content">
        {ago(at, Date.now())}
      </Text>
    </Tooltip>
  )
}
