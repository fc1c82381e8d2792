import { Anchor, Breadcrumbs, Button, Group, Menu, Stack, Text, Title } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { getRouteApi, Link, Outlet, useNavigate } from '@tanstack/react-router'
import { memo } from 'react'
import { api, KEYS, queryClient } from '../app/client.ts'
import { DeleteByName } from '../parts/delete-by-name.tsx'
import { FaultNote } from '../parts/fault-note.tsx'
import { PlaceTabs, tabClass } from '../parts/place-tabs.tsx'
import { StatusMark } from '../parts/status-mark.tsx'
import { usePrefetchedFigures } from '../parts/use-recent-figures.ts'
import { useRights } from '../sign-in/use-rights.ts'
import { AddNode } from './add-node.tsx'
import { useLiveGateway } from './use-gateway.ts'

const route = getRouteApi('/gateways/$gateway')

/** What stands above each page of one gateway, and the one that keeps it live. */
export function GatewayFrame() {
  const { gateway: name } = route.useParams()
  const { data, error, dataUpdatedAt } = useLiveGateway(name)
  usePrefetchedFigures(name)
  return (
    <Stack gap="md">
      <Breadcrumbs>
        <Anchor component={Link} to="/gateways" size="sm">
          Gateways
        </Anchor>
        <Text size="sm">{name}</Text>
      </Breadcrumbs>
      {error && <FaultNote cause={error} since={data && dataUpdatedAt} />}
      {data && (
        <>
          <Group justify="space-between" align="flex-start">
            <Group gap="md" align="baseline">
              <Title order={1}>{data.name}</Title>
              <StatusMark status={data.status} />
            </Group>
            <Actions name={data.name} />
          </Group>
          <Tabs name={name} />
          <Outlet />
        </>
      )}
    </Stack>
  )
}

const Tabs = memo(function Tabs({ name: gateway }: { readonly name: string }) {
  const { may } = useRights()
  return (
    <PlaceTabs label={`Gateway ${gateway}`}>
      <Link to="/gateways/$gateway" params={{ gateway }} className={tabClass} activeOptions={{ exact: true, includeSearch: false }}>
        Nodes
      </Link>
      <Link to="/gateways/$gateway/settings" params={{ gateway }} className={tabClass}>
        Settings
      </Link>
      {may('gateways:keys', `gateway/${gateway}`) && (
        <Link to="/gateways/$gateway/keys" params={{ gateway }} className={tabClass}>
          Keys
        </Link>
      )}
    </PlaceTabs>
  )
})

const Actions = memo(function Actions({ name }: { readonly name: string }) {
  const [adding, add] = useDisclosure(false)
  const [deleting, ask] = useDisclosure(false)
  const navigate = useNavigate()
  const { may } = useRights()
  const remove = async () => {
    await api.gateways.delete(name)
    await navigate({ to: '/gateways' })
    queryClient.removeQueries({ queryKey: KEYS.gateway(name) })
    await queryClient.invalidateQueries({ queryKey: KEYS.gateways, exact: true })
  }
  return (
    <Group gap="xs">
      <Button onClick={add.open}>Add a node</Button>
      {may('gateways:write', `gateway/${name}`) && (
        <Menu position="bottom-end" withinPortal>
          <Menu.Target>
            <Button variant="default">Actions</Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item color="red" onClick={ask.open}>
              Delete…
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
      <AddNode gateway={name} opened={adding} close={add.close} />
      <DeleteByName opened={deleting} close={ask.close} title={`gateway ${name}`} name={name} remove={remove}>
        Its keys are gone with it. A gateway that still has nodes or stores is not deleted: delete those first.
      </DeleteByName>
    </Group>
  )
})
