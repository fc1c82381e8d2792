import { Anchor, Button, Group, Skeleton, Stack, Text, Title } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import type { GatewayView } from '@postern/protocol/api/gateways.ts'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { lazy, memo, Suspense } from 'react'
import { api, KEYS } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { type LiveColumn, type LiveRow, LiveTable } from '../parts/live-table.tsx'
import { MEASURES, measuresOf, share } from '../parts/measures.tsx'
import { StatusMark } from '../parts/status-mark.tsx'
import { type KeptFigures, useKeptFigures, useRecentFigures } from '../parts/use-recent-figures.ts'
import { useRights } from '../sign-in/use-rights.ts'
import { sumsOf } from './gateway-sums.ts'

const LIVE_MS = 2_000
/** More of them would push the other gateways away: the gateway's own page has them all. */
const MOST_REASONS = 2

const COLUMNS = [
  { name: 'online', title: 'Online', width: 84, right: true },
  ...MEASURES,
  { name: 'version', title: 'Version', width: 76 },
] as const satisfies readonly LiveColumn[]

/** No part of the first view. */
const NewGateway = lazy(async () => ({ default: (await import('./new-gateway.tsx')).NewGateway }))

export function GatewaysPage() {
  const [open, { open: show, close }] = useDisclosure(false)
  const gateways = useQuery({ queryKey: KEYS.gateways, queryFn: ({ signal }) => api.gateways.list(signal), refetchInterval: LIVE_MS })
  // Asked for at the same time: so the first that is seen has its lines.
  const kept = useKeptFigures()
  const mayMake = useRights().may('gateways:write')
  return (
    <Stack gap="md">
      <Group justify="space-between">
        <Title order={1}>Gateways</Title>
        {mayMake && <Button onClick={show}>New gateway</Button>}
      </Group>
      {gateways.error && <FaultNote cause={gateways.error} since={gateways.data && gateways.dataUpdatedAt} />}
      {gateways.isPending && <Skeleton h={120} role="status" aria-label="Reading the gateways" />}
      {gateways.data?.length === 0 && (
        <Text c="dimmed">
          {mayMake
            ? 'There is no gateway yet. Make one, then install a node beside your data and join it with the line that you are shown.'
            : 'There is no gateway that you may see. Ask an administrator for a role on one.'}
        </Text>
      )}
      {gateways.data && gateways.data.length > 0 && <GatewayTable gateways={gateways.data} at={gateways.dataUpdatedAt} kept={kept} />}
      <Suspense>{open && <NewGateway close={close} />}</Suspense>
    </Stack>
  )
}

interface GatewayTableProps {
  readonly gateways: readonly GatewayView[]
  /** When they were read. */
  readonly at: number
  readonly kept: KeptFigures | undefined
}

function GatewayTable({ gateways, at, kept }: GatewayTableProps) {
  const sums = gateways.map(sumsOf)
  const recent = useRecentFigures(sums, at, kept)
  const rows = gateways.map((gateway, index): LiveRow => {
    const sum = sums[index] ?? sumsOf(gateway)
    const figures = measuresOf(sum, recent(gateway.id))
    return {
      id: gateway.id,
      head: <GatewayName name={gateway.name} />,
      status: <Status status={gateway.status} />,
      why: firstOf(gateway.statusReasons),
      cells: {
        ...figures,
        online: share(sum.online, sum.nodes),
        version: gateway.version === '' ? '–' : gateway.version,
      },
    }
  })
  return <LiveTable label="Gateways" of={{ title: 'Name' }} status={{}} columns={COLUMNS} rows={rows} />
}

function firstOf(reasons: readonly string[]): readonly string[] {
  const more = reasons.length - MOST_REASONS
  return more > 0 ? [...reasons.slice(0, MOST_REASONS), `And ${more} more`] : reasons
}

const Status = memo(StatusMark)

const GatewayName = memo(function GatewayName({ name }: { readonly name: string }) {
  return (
    <Anchor size="sm" fw={500} renderRoot={(props) => <Link to="/gateways/$gateway" params={{ gateway: name }} {...props} />}>
      {name}
    </Anchor>
  )
})
