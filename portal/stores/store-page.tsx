import { Anchor, Breadcrumbs, Button, Group, Stack, Tabs, Text, Title } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import type { StoreView } from '@postern/protocol/api/stores.ts'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { api, KEYS } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { useRights } from '../sign-in/use-rights.ts'
import { DeleteStore } from './delete-store.tsx'
import { useKinds } from './kinds.ts'
import { StoreBrowse } from './store-browse.tsx'
import { StoreFacts } from './store-facts.tsx'
import { StoreLimitsForm } from './store-limits-form.tsx'
import { STORE_TABS } from './store-search.ts'
import { StoreSettingsForm } from './store-settings-form.tsx'
import { StoreTests } from './store-tests.tsx'
import { useStoreRights } from './use-store-rights.ts'

const route = getRouteApi('/stores/$store')
const LABELS = { overview: 'Overview', browse: 'Browse', settings: 'Settings', limits: 'Limits' } as const

export function StorePage(): ReactNode {
  const { store: name } = route.useParams()
  const store = useQuery({ queryKey: KEYS.store(name), queryFn: ({ signal }) => api.stores.get(name, signal) })
  return (
    <Stack gap="md">
      <Breadcrumbs>
        <Anchor component={Link} to="/stores" size="sm">
          Stores
        </Anchor>
        <Text size="sm">{name}</Text>
      </Breadcrumbs>
      {store.error && <FaultNote cause={store.error} />}
      {store.data && (
        <>
          <StoreHead store={store.data} />
          <StoreTabs key={store.data.id} store={store.data} />
        </>
      )}
    </Stack>
  )
}

function StoreHead({ store }: { readonly store: StoreView }) {
  const kinds = useKinds()
  const { mayChange } = useStoreRights()(store)
  const [deleting, { open, close }] = useDisclosure(false)
  return (
    <Group justify="space-between" align="flex-start">
      <Group gap="md" align="baseline">
        <Title order={1}>{store.name}</Title>
        <Text c="dimmed" size="sm">
          {kinds.titleOf(store.kind)}
        </Text>
      </Group>
      <Group gap="xs">
        <UseIt store={store} />
        {mayChange && (
          <Button variant="light" color="red" onClick={open}>
            Delete…
          </Button>
        )}
      </Group>
      <DeleteStore store={store} opened={deleting} close={close} />
    </Group>
  )
}

/** What its kind can, and who looks may. */
function UseIt({ store: { name, gateway, kind } }: { readonly store: StoreView }) {
  const can = useKinds().find(kind)?.can
  const { mayQuery } = useStoreRights()({ name, gateway })
  const mayCopy = useRights().mayAnywhere('runs:write')
  return (
    <>
      {mayQuery && can?.query && <Button renderRoot={(props) => <Link to="/queries" search={{ store: name }} {...props} />}>Query</Button>}
      {mayCopy && can?.source && (
        <Button variant="default" renderRoot={(props) => <Link to="/copies/new" search={{ source: name }} {...props} />}>
          Copy from it
        </Button>
      )}
      {mayCopy && can && can.sinkModes.length > 0 && (
        <Button variant="default" renderRoot={(props) => <Link to="/copies/new" search={{ sink: name }} {...props} />}>
          Copy into it
        </Button>
      )}
    </>
  )
}

function StoreTabs({ store }: { readonly store: StoreView }) {
  const { mayQuery, mayChange } = useStoreRights()(store)
  const offered = STORE_TABS.filter((one) => one === 'overview' || (one === 'browse' ? mayQuery : mayChange))
  const { tab: asked = 'overview' } = route.useSearch()
  const tab = offered.includes(asked) ? asked : 'overview'
  const navigate = route.useNavigate()
  const show = (wanted: string | null) => {
    const found = STORE_TABS.find((one) => one === wanted)
    void navigate({ search: found === undefined || found === 'overview' ? {} : { tab: found } })
  }
  return (
    <Tabs value={tab} onChange={show} keepMounted={false}>
      <Tabs.List mb="md">
        {offered.map((one) => (
          <Tabs.Tab key={one} value={one}>
            {LABELS[one]}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      <Tabs.Panel value="overview">
        <Stack gap="lg">
          <StoreFacts store={store} />
          {mayQuery && <StoreTests store={store} />}
        </Stack>
      </Tabs.Panel>
      <Tabs.Panel value="browse">
        <StoreBrowse store={store} />
      </Tabs.Panel>
      <Tabs.Panel value="settings">
        <StoreSettingsForm store={store} />
      </Tabs.Panel>
      <Tabs.Panel value="limits">
        <StoreLimitsForm key={store.updatedAt} store={store} />
      </Tabs.Panel>
    </Tabs>
  )
}
