import { Alert, Button, Checkbox, Group, Loader, Stack, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import type { GatewayView } from '@postern/protocol/api/gateways.ts'
import type { StoreChange } from '@postern/protocol/api/lists.ts'
import type { StoreKindView } from '@postern/protocol/api/store-kinds.ts'
import type { StoreSettings, StoreView } from '@postern/protocol/api/stores.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { audienceByKind } from '@postern/protocol/seal-context.ts'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, KEYS, queryClient } from '../app/client.ts'
import { UNDER } from '../copies/section.tsx'
import { FaultNote } from '../parts/fault-note.tsx'
import { useKinds } from './kinds.ts'
import { sealSecrets } from './seal-store.ts'
import { showProblem } from './show-problem.ts'
import { StoreFields } from './store-fields.tsx'
import { labelsOf, settingsOf } from './store-form.ts'
import { faultOfTests, useTests } from './test-results.ts'
import { useStoreForm, withFault } from './use-store-form.ts'

/** Changes a store in place; its sealed secrets stay unless new ones are typed. */
export function StoreSettingsForm({ store }: { readonly store: StoreView }) {
  const kinds = useKinds()
  const kind = kinds.find(store.kind)
  const gateway = useQuery({ queryKey: KEYS.gateway(store.gateway), queryFn: ({ signal }) => api.gateways.get(store.gateway, signal) })
  if (kinds.error) return <FaultNote cause={kinds.error} />
  if (gateway.error) return <FaultNote cause={gateway.error} />
  if (!kind || !gateway.data) return <Loader size="sm" aria-label="Loading" />
  return <Loaded key={store.version} store={store} kind={kind} gateway={gateway.data} />
}

interface LoadedProps {
  readonly store: StoreView
  readonly kind: StoreKindView
  readonly gateway: GatewayView
}

function Loaded({ store, kind, gateway }: LoadedProps) {
  const form = useStoreForm(kind, store.settings, store.secrets)
  const [labels, setLabels] = useState(() => labelText(store))
  const [forget, setForget] = useState(false)
  const nodeLabels = labelsOf(labels)
  const typed = Object.values(form.secrets).some(({ text }) => text !== '')
  const change = useChange(store)
  const tested = withFault(form, faultAsCause(faultOfTests(useTests(store))))
  const told = change.error ? withFault(form, change.error) : { ...tested, rest: undefined }
  const now = settingsOf([...form.groups.main, ...form.groups.more], form.typed)
  const moved = store.secrets.length > 0 && !typed && !forget && !sameAudience(kind, store.settings, now)
  const submit = async (settings: StoreSettings) => ({
    settings,
    nodeLabels: { ...nodeLabels },
    ...(forget && !typed ? { secrets: [] } : await sealSecrets(gateway, kind, settings, form.secrets)),
  })
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        const [settings, place] = [form.check(), event.currentTarget]
        if (!settings || !nodeLabels) showProblem(place)
        else change.mutate(() => submit(settings), { onError: () => showProblem(place) })
      }}
    >
      <Stack gap="md" maw={860}>
        <StoreFields form={told.form} gateway={gateway} kept={store.secrets} />
        {store.secrets.length > 0 && !typed && (
          <Checkbox label="Take the sealed secrets away" checked={forget} onChange={(event) => setForget(event.currentTarget.checked)} />
        )}
        <SecretWarnings moved={moved} gone={typed ? store.secrets.filter((name) => !form.secrets[name]?.text) : []} />
        <TextInput
          label="Only nodes with these labels"
          description="site=berlin, disk=ssd; empty: every node of the gateway"
          inputWrapperOrder={UNDER}
          value={labels}
          onChange={(event) => setLabels(event.currentTarget.value)}
          error={nodeLabels ? undefined : 'KEY=VALUE, with commas between'}
        />
        {told.rest ? <FaultNote cause={told.rest} /> : null}
        <Group justify="flex-end">
          <Button type="submit" loading={change.isPending} disabled={moved}>
            Change the store
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

/** The body is made when it is sent: sealing takes a moment and may fail. */
function useChange({ name }: StoreView) {
  return useMutation({
    mutationFn: async (body: () => Promise<StoreChange>) => api.stores.change(name, await body()),
    onSuccess: async () => {
      notifications.show({ message: `Store ${name} is changed. Nodes open it anew with their next query.` })
      await queryClient.invalidateQueries({ queryKey: KEYS.stores })
    },
  })
}

function SecretWarnings({ moved, gone }: { readonly moved: boolean; readonly gone: readonly string[] }) {
  return (
    <>
      {moved && (
        <Alert color="yellow" variant="light" title="Type the secrets again">
          A sealed secret may only be sent where it was meant to go, and that is what you change.
        </Alert>
      )}
      {gone.length > 0 && (
        <Alert color="yellow" variant="light" title={`Without ${gone.join(', ')}`}>
          Secrets are sealed together: those that are not typed now are gone after this.
        </Alert>
      )}
    </>
  )
}

/** What a test of the store found stands at the setting that it is about, too. */
const faultAsCause = (fault: ReturnType<typeof faultOfTests>) => fault && Fault.fromJson(fault)

const labelText = ({ nodeLabels }: StoreView) =>
  Object.entries(nodeLabels)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ')

function sameAudience(kind: StoreKindView, before: StoreSettings, now: StoreSettings): boolean {
  const [one, other] = [audienceByKind(kind, before), audienceByKind(kind, now)]
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].every((name) => String(one[name]) === String(other[name]))
}
