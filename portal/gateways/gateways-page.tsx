import { Anchor, Button, Group, Stack, Table, Text, Title } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import type { GatewayView } from '@postern/protocol/api/gateways.ts'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { lazy, Suspense } from 'react'
import { api, KEYS } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { StatusMark } from '../parts/status-mark.tsx'
import { useRights } from '../sign-in/use-rights.ts'

const LIVE_MS = 2_000

/** No part of the first view. */
const NewGateway = lazy(async () => ({ default: (await import('./new-gateway.tsx')).NewGateway }))

export function GatewaysPage() {
  const [open, { open: show, close }] = useDisclosure(false)
  const gateways = useQuery({ queryKey: KEYS.gateways, queryFn: ({ signal }) => api.gateways.list(signal), refetchInterval: LIVE_MS })
  const mayMake = useRights().may('gateways:write')
  return (
    <Stack gap="md">
      <Group justify="space-between">
        <Title order={1}>Gateways</Title>
        {mayMake && <Button onClick={show}>New gateway</Button>}
      </Group>
      {gateways.error && <FaultNote cause={gateways.error} />}
      {gateways.data?.length === 0 && (
        <Text c="dimmed">
          {mayMake
            ? 'There is no gateway yet. Make one, then install a node beside your data and join it with the line that you are shown.'
            : 'There is no gateway that you may see. Ask an administrator for a role on one.'}
        </Text>
      )}
      {gateways.data && gateways.data.length > 0 && <GatewayTable gateways={gateways.data} />}
      <Suspense>{open && <NewGateway close={close} />}</Suspense>
    </Stack>
  )
}

function GatewayTable({ gateways }: { readonly gateways: readonly GatewayView[] }) {
  return (
    <Table.ScrollContainer minWidth={520}>
      <Table highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th>Status</Table.Th>
            <Table.Th ta="right">Nodes online</Table.Th>
            <Table.Th ta="right">Queries</Table.Th>
            <Table.Th ta="right">Copy tasks</Table.Th>
            <Table.Th>Version</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {gateways.map((gateway) => (
            <Table.Tr key={gateway.id}>
              <Table.Td>
                <Anchor
                  size="sm"
                  fw={500}
                  renderRoot={(props) => <Link to="/gateways/$gateway" params={{ gateway: gateway.name }} {...props} />}
                >
                  {gateway.name}
                </Anchor>
              </Table.Td>
              <Table.Td>
                <StatusMark status={gateway.status} reasons={gateway.statusReasons} />
              </Table.Td>
              <Table.Td ta="right">
                {gateway.nodes.filter(({ status }) => status === 'online').length} of {gateway.nodes.length}
              </Table.Td>
              <Table.Td ta="right">{gateway.nodes.reduce((sum, node) => sum + node.runningQueries, 0)}</Table.Td>
              <Table.Td ta="right">{gateway.nodes.reduce((sum, node) => sum + node.runningJobs, 0)}</Table.Td>
              <Table.Td>{gateway.version}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}
