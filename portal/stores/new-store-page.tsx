import { Anchor, Breadcrumbs, Button, Group, Select, Stack, Text, TextInput, Title } from '@mantine/core'
import type { GatewayView } from '@postern/protocol/api/gateways.ts'
import type { StoreKindView } from '@postern/protocol/api/store-kinds.ts'
import type { StoreCreate, StoreSettings } from '@postern/protocol/api/stores.ts'
import { useMutation, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { api, KEYS, queryClient } from '../app/client.ts'
import { UNDER } from '../copies/section.tsx'
import { FaultNote } from '../parts/fault-note.tsx'
import { useRights } from '../sign-in/use-rights.ts'
import { NAME_FIELD } from './fault-place.ts'
import { useKinds } from './kinds.ts'
import { sealSecrets } from './seal-store.ts'
import { showProblem } from './show-problem.ts'
import { StoreFields } from './store-fields.tsx'
import { labelsOf, NAME } from './store-form.ts'
import { ANY, testStore } from './test-results.ts'
import { type StoreFormState, useStoreForm, withFault } from './use-store-form.ts'

const route = getRouteApi('/stores/-/new')
/** A gateway gets its key while somebody waits for it here. */
const KEYLESS_MS = 2_000

export function NewStorePage(): ReactNode {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const kinds = useKinds()
  const gateways = useQuery({
    queryKey: KEYS.gateways,
    queryFn: ({ signal }) => api.gateways.list(signal),
    refetchInterval: ({ state }) => (state.data?.some(({ publicKey }) => publicKey === null) ? KEYLESS_MS : false),
  })
  const { may } = useRights()
  const open = gateways.data?.filter(({ name }) => may('stores:create', `gateway/${name}`))
  const only = open?.length === 1 ? open[0] : undefined
  const gateway = open?.find(({ name }) => name === search.gateway) ?? only
  const kind = search.kind === undefined ? undefined : kinds.find(search.kind)
  const error = kinds.error ?? gateways.error
  return (
    <Stack gap="md" maw={860}>
      <Breadcrumbs>
        <Anchor component={Link} to="/stores" size="sm">
          Stores
        </Anchor>
        <Text size="sm">New</Text>
      </Breadcrumbs>
      <Title order={1}>New store</Title>
      {error ? <FaultNote cause={error} /> : null}
      {open?.length === 0 && <NoGateway />}
      <Group gap="md" align="flex-start" grow preventGrowOverflow={false}>
        <Select
          label="Gateway"
          description="Its nodes open the store"
          inputWrapperOrder={UNDER}
          data={open?.map(({ name }) => name) ?? []}
          value={gateway?.name ?? null}
          onChange={(name) => void navigate({ search: { ...search, gateway: name ?? undefined }, replace: true })}
          allowDeselect={false}
          required
          size="sm"
        />
        <Select
          label="Kind"
          inputWrapperOrder={UNDER}
          data={kinds.all?.map(({ kind: value, title }) => ({ value, label: title })) ?? []}
          value={kind?.kind ?? null}
          onChange={(value) => void navigate({ search: { ...search, kind: value ?? undefined }, replace: true })}
          allowDeselect={false}
          required
          size="sm"
        />
      </Group>
      {kind && gateway ? (
        <NewStoreForm key={kind.kind} kind={kind} gateway={gateway} />
      ) : (
        <Text c="dimmed" size="sm">
          Choose both, and see what the kind asks.
        </Text>
      )}
    </Stack>
  )
}

function NoGateway() {
  return (
    <Text c="dimmed">
      A store belongs to a gateway, and there is none where you may make one.{' '}
      <Anchor component={Link} to="/gateways">
        Make a gateway
      </Anchor>{' '}
      and join a node to it first, or ask for the role store-creator on one that there is.
    </Text>
  )
}

function NewStoreForm({ kind, gateway }: { readonly kind: StoreKindView; readonly gateway: GatewayView }) {
  const form = useStoreForm(kind)
  const [name, setName] = useState('')
  const [labels, setLabels] = useState('')
  const [tried, setTried] = useState(false)
  const nodeLabels = labelsOf(labels)
  const create = useCreate(kind, gateway, form)
  const told = withFault(form, create.error)
  const submit = (place: HTMLFormElement) => {
    setTried(true)
    const settings = form.check()
    if (!settings || !NAME.test(name) || !nodeLabels) return showProblem(place)
    create.mutate({ name, settings, nodeLabels: { ...nodeLabels } }, { onError: () => showProblem(place) })
  }
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        submit(event.currentTarget)
      }}
    >
      <Stack gap="md">
        <TextInput
          label="Name"
          description="What people and statements call it: letters, digits, “.”, “_” and “-”"
          inputWrapperOrder={UNDER}
          withAsterisk
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={tried && !NAME.test(name) ? 'Letters, digits, “.”, “_” and “-”, 1 to 63 characters' : told.problems[NAME_FIELD]}
          autoComplete="off"
        />
        <StoreFields form={told.form} gateway={gateway} />
        <TextInput
          label="Only nodes with these labels"
          description="site=berlin, disk=ssd; empty: every node of the gateway"
          inputWrapperOrder={UNDER}
          value={labels}
          onChange={(event) => setLabels(event.currentTarget.value)}
          error={tried && !nodeLabels ? 'KEY=VALUE, with commas between' : undefined}
        />
        {told.rest ? <FaultNote cause={told.rest} /> : null}
        <Group justify="flex-end">
          <Button variant="default" component={Link} to="/stores">
            Leave it
          </Button>
          <Button type="submit" loading={create.isPending}>
            Make the store
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

function useCreate(kind: StoreKindView, gateway: GatewayView, { secrets }: StoreFormState) {
  const navigate = route.useNavigate()
  return useMutation({
    mutationFn: async (store: Pick<StoreCreate, 'name' | 'nodeLabels'> & { readonly settings: StoreSettings }) => {
      const sealed = await sealSecrets(gateway, kind, store.settings, secrets)
      return await api.stores.create({ ...store, gateway: gateway.name, kind: kind.kind, ...sealed })
    },
    onSuccess: async (made) => {
      // Who has made a store wants to know whether it opens: the page that follows shows it.
      void testStore(made, [ANY])
      // Who makes a store owns it: what she may do has changed too.
      await Promise.all([KEYS.stores, KEYS.me].map((queryKey) => queryClient.invalidateQueries({ queryKey })))
      await navigate({ to: '/stores/$store', params: { store: made.name }, search: {} })
    },
  })
}
