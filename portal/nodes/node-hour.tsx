import { Stack, Text, Title } from '@mantine/core'
import type { NodeHistory } from '@postern/protocol/api/node-history.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { bytes, percent, rate } from '../parts/figures.ts'
import classes from './hour-chart.module.css'
import { HourChart } from './hour-chart.tsx'
import { roundTop } from './hour-lines.ts'
import { useNodeHour } from './use-node.ts'

interface NodeHourProps {
  readonly gateway: string
  readonly name: string
  readonly totalMemoryBytes: number
}

export function NodeHour({ gateway, name, totalMemoryBytes }: NodeHourProps) {
  const { data, error } = useNodeHour(gateway, name)
  return (
    <Stack gap="xs" component="section" aria-label="The last hour">
      <Title order={2}>The last hour</Title>
      {error && <FaultNote cause={error} />}
      {data?.at.length === 0 && (
        <Text size="sm" c="dimmed">
          There are no figures yet: the service takes a sample every five seconds, and begins anew when it is started.
        </Text>
      )}
      {data && data.at.length > 0 && <Charts hour={data} totalMemoryBytes={totalMemoryBytes} />}
    </Stack>
  )
}

function Charts({ hour, totalMemoryBytes }: { readonly hour: NodeHistory; readonly totalMemoryBytes: number }) {
  const { at } = hour
  const network = [hour.networkInBytesPerSecond, hour.networkOutBytesPerSecond] as const
  const work = [hour.runningJobs, hour.runningQueries] as const
  return (
    <div className={classes['charts']}>
      <HourChart title="CPU" at={at} series={[{ name: 'CPU', figures: hour.cpuPercent }]} top={100} say={percent} />
      <HourChart
        title="Memory free"
        at={at}
        series={[{ name: 'free', figures: hour.availableMemoryBytes }]}
        top={Math.max(totalMemoryBytes, ...hour.availableMemoryBytes.map((figure) => figure ?? 0))}
        say={bytes}
      />
      <HourChart
        title="Network"
        at={at}
        series={[
          { name: 'in', figures: network[0] },
          { name: 'out', figures: network[1] },
        ]}
        top={roundTop(network)}
        say={rate}
      />
      <HourChart
        title="Work"
        at={at}
        series={[
          { name: 'copy tasks', figures: work[0] },
          { name: 'queries', figures: work[1] },
        ]}
        top={roundTop(work)}
        say={String}
      />
    </div>
  )
}
