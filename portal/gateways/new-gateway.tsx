import { Button, Code, Group, Modal, Stack, Text, TextInput } from '@mantine/core'
import type { GatewayMade } from '@postern/client/client.ts'
import { useMutation } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { api, KEYS, queryClient } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { JoinSteps } from './join-steps.tsx'

export function NewGateway({ close }: { readonly close: () => void }) {
  const [name, setName] = useState('')
  const make = useMutation({
    mutationFn: (): Promise<GatewayMade> => api.gateways.create({ name: name.trim() }),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: KEYS.gateways }),
  })
  return (
    <Modal opened onClose={close} title="New gateway" size="lg" closeOnClickOutside={!make.data}>
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
  return (
    <Stack gap="sm">
      <Text size="sm">
        Gateway <b>{gateway.name}</b> is made. Its two keys are shown now and never again: keep them where your passwords are. They open
        nothing but the joining of nodes.
      </Text>
      <Code block>{`key 1  ${gateway.key1}\nkey 2  ${gateway.key2}`}</Code>
      <JoinSteps joinKey={gateway.key1} />
      <Group justify="flex-end">
        <Button renderRoot={(props) => <Link to="/gateways/$gateway" params={{ gateway: gateway.name }} {...props} />}>
          Go to the gateway
        </Button>
      </Group>
    </Stack>
  )
}
