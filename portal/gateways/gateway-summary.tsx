import { SimpleGrid, Text } from '@mantine/core'
import type { GatewayView } from '@postern/protocol/api/gateways.ts'
import type { ReactNode } from 'react'
import { bytes, duration, percent, rate } from '../parts/figures.ts'
import { share } from '../parts/measures.tsx'
import { NO_FIGURES, useRecentFigures } from '../parts/recent-figures.ts'
import { Sparkline } from '../parts/sparkline.tsx'
import { sumsOf } from './gateway-sums.ts'

const SPARK = 72

/** What all nodes do together; `at`: when the figures came. */
export function GatewaySummary({ gateway, at }: { readonly gateway: GatewayView; readonly at: number }) {
  const sums = sumsOf(gateway)
  const recent = useRecentFigures([sums], at).get(sums.id) ?? NO_FIGURES
  const told = (text: string) => (sums.live ? text : '–')
  const line = (label: string, values: readonly number[], most?: number) => (
    <Sparkline label={label} values={values} width={SPARK} {...(most === undefined ? {} : { most })} />
  )
  return (
    <SimpleGrid cols={{ base: 2, xs: 3, lg: 6 }} spacing="md" verticalSpacing="sm" component="dl" m={0} aria-label="All nodes together">
      <Figure name="Nodes online" text={share(sums.online, sums.nodes)}>
        version {gateway.version === '' ? '–' : gateway.version}
      </Figure>
      <Figure name="Memory free" text={told(bytes(sums.availableMemoryBytes))}>
        {line('Memory that is free on all nodes', recent.memory, sums.totalMemoryBytes)}
      </Figure>
      <Figure name="CPU, on average" text={told(percent(sums.cpuPercent))}>
        {line('CPU of all nodes, on average', recent.cpu, 100)}
      </Figure>
      <Figure name="Network, in and out" text={told(rate(sums.networkInBytesPerSecond + sums.networkOutBytesPerSecond))}>
        {line('Network of all nodes', recent.network)}
      </Figure>
      <Figure name="Copy tasks" text={share(sums.runningJobs, sums.jobLimit)}>
        {sums.waitingTasks > 0
          ? `${sums.waitingTasks} wait, the first for ${duration(sums.waitedMs)}`
          : line('Copy tasks on all nodes', recent.jobs, sums.jobLimit)}
      </Figure>
      <Figure name="Queries" text={share(sums.runningQueries, sums.queryLimit)}>
        {line('Queries on all nodes', recent.queries, sums.queryLimit)}
      </Figure>
    </SimpleGrid>
  )
}

function Figure({ name, text, children }: { readonly name: string; readonly text: string; readonly children: ReactNode }) {
  return (
    <div>
      <Text size="xs" c="dimmed" component="dt">
        {name}
      </Text>
      <Text fw={600} component="dd" m={0}>
        {text}
      </Text>
      <Text size="xs" c="dimmed" component="dd" m={0} mih={20}>
        {children}
      </Text>
    </div>
  )
}
