import { Anchor, Badge, Breadcrumbs, Group, Stack, Text, Title } from '@mantine/core'
import type { NodeView } from '@postern/protocol/api/gateways.ts'
import { getRouteApi, Link, Outlet, useNavigate } from '@tanstack/react-router'
import { useCallback } from 'react'
import { FaultNote } from '../parts/fault-note.tsx'
import { PlaceTabs, tabClass } from '../parts/place-tabs.tsx'
import { StatusMark } from '../parts/status-mark.tsx'
import { useRights } from '../sign-in/use-rights.ts'
import { NodeMenu } from './node-menu.tsx'
import { useLiveNode } from './use-node.ts'

const route = getRouteApi('/gateways/$gateway/nodes/$node')

/** What stands above each page of one node, and the one that keeps it live. */
export function NodeFrame() {
  const { gateway, node: name } = route.useParams()
  const { data, error, dataUpdatedAt } = useLiveNode(gateway, name)
  return (
    <Stack gap="md">
      <Breadcrumbs>
        <Anchor component={Link} to="/gateways" size="sm">
          Gateways
        </Anchor>
        <Anchor size="sm" renderRoot={(props) => <Link to="/gateways/$gateway" params={{ gateway }} {...props} />}>
          {gateway}
        </Anchor>
        <Text size="sm">{name}</Text>
      </Breadcrumbs>
      {error && <FaultNote cause={error} since={data && dataUpdatedAt} />}
      {data && (
        <>
          <Head node={data} />
          <PlaceTabs label={`Node ${name}`}>
            <Link to="/gateways/$gateway/nodes/$node" params={{ gateway, node: name }} className={tabClass} activeOptions={{ exact: true }}>
              Now
            </Link>
            <Link to="/gateways/$gateway/nodes/$node/settings" params={{ gateway, node: name }} className={tabClass}>
              Settings
            </Link>
          </PlaceTabs>
          <Outlet />
        </>
      )}
    </Stack>
  )
}

function Head({ node }: { readonly node: NodeView }) {
  const { gateway, name } = node
  const { may } = useRights()
  const navigate = useNavigate()
  const moved = useCallback(
    (next: string | undefined) =>
      next === undefined
        ? navigate({ to: '/gateways/$gateway', params: { gateway } })
        : navigate({ to: '/gateways/$gateway/nodes/$node', params: { gateway, node: next }, replace: true }),
    [navigate, gateway],
  )
  return (
    <Group justify="space-between" align="flex-start">
      <Group gap="md" align="center">
        <Title order={1}>{name}</Title>
        <StatusMark status={node.status} />
        <Badge variant="light" size="sm">
          {node.role}
        </Badge>
        {node.isPrimary && (
          <Badge variant="outline" size="sm">
            primary
          </Badge>
        )}
      </Group>
      {may('nodes:write', `gateway/${gateway}`) && (
        <NodeMenu wide gateway={gateway} name={name} serves={node.enabled && node.status !== 'draining'} onMoved={moved} />
      )}
    </Group>
  )
}
