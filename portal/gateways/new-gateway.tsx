import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core'
import type { GatewayMade } from '@postern/client/client.ts'
import { useMutation } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { api, KEYS, queryClient } from '../app/client.ts'
import { CopyLine } from '../parts/copy-line.tsx'
import { FaultNote } from '../parts/fault-note.tsx'
import { useRights } from '../sign-in/use-rights.ts'
import { JoinSteps } from './join-steps.tsx'
import { NewNodes } from './new-nodes.tsx'
import { useLiveGateway } from './use-gateway.ts'

export function NewGateway({ close }: { readonly close: () => void }) {
  const [name, setName] = useState('')
  const make = useMutation({
    mutationFn: (): Promise<GatewayMade> => api.gateways.create({ name: name.trim() }),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: KEYS.gateways }),
  })
  return (
    <Modal opened onClose={close} title="New gateway" size="lg" closeOnClickOutside={!make.data} closeOnEscape={!make.data}>
      {make.data ? (
        <Made gateway={make.data} />
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault()
            make.mutate()
          }}
        >
          <Stack gap="sm">
            <TextInput
              label="Name"
              description="Letters, digits, “.”, “_” and “-”"
              required
              maxLength={63}
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
              autoComplete="off"
              data-autofocus
            />
            {make.error && <FaultNote cause={make.error} />}
            <Group justify="flex-end">
              <Button type="submit" loading={make.isPending}>
                Make the gateway
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  )
}

/** The keys are made in the browser, and shown this once. */
function Made({ gateway }: { readonly gateway: GatewayMade }) {
  const { name } = gateway
  const { data } = useLiveGateway(name)
  const isReady = data !== undefined && data.publicKey !== null && data.nodes.some(({ status }) => status === 'online')
  const mayStore = useRights().may('stores:create', `gateway/${name}`) && isReady
  return (
    <Stack gap="sm">
      <Text size="sm">
        Gateway <b>{name}</b> is made. Its two keys are shown now and never again: keep them where your passwords are. They open nothing but
        the joining of nodes.
      </Text>
      <KeyLine name="Key 1" text={gateway.key1} />
      <KeyLine name="Key 2" text={gateway.key2} />
      <JoinSteps joinKey={gateway.key1}>
        <NewNodes gateway={name} />
        <Group justify="flex-end">
          <Button
            variant={mayStore ? 'default' : 'filled'}
            renderRoot={(props) => <Link to="/gateways/$gateway" params={{ gateway: name }} {...props} />}
          >
            Go to the gateway
          </Button>
          {mayStore && (
            <Button renderRoot={(props) => <Link to="/stores/-/new" search={{ gateway: name }} {...props} />}>Make its first store</Button>
          )}
        </Group>
      </JoinSteps>
    </Stack>
  )
}

function KeyLine({ name, text }: { readonly name: string; readonly text: string }) {
  return (
    <div>
      <Text size="xs" c="dimmed">
        {name}
      </Text>
      <CopyLine text={text} label={`Copy ${name.toLowerCase()}`} />
    </div>
  )
}
