import { Alert, Button, Group, Modal, PasswordInput, SimpleGrid, Stack, Text, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import type { Asked, NodeFacts } from '@postern/protocol/console-api.ts'
import { CONSOLE_PATHS } from '@postern/protocol/console-paths.ts'
import { useMutation } from '@tanstack/react-query'
import { type ChangeEvent, type ReactNode, useState } from 'react'
import { DeleteByName } from '../parts/delete-by-name.tsx'
import { FaultNote } from '../parts/fault-note.tsx'
import { WithCode } from '../parts/with-code.tsx'
import { versionText } from './node-health.ts'
import { Part } from './part.tsx'
import { ask as send } from './session.ts'
import { type Wish, type WishState, wishState } from './wish.ts'

interface ProcessPageProps {
  readonly facts: NodeFacts
  readonly away: boolean
  readonly wish: Wish | undefined
  readonly asked: (wish: Wish) => void
}

export function ProcessPage({ facts, away, wish, asked }: ProcessPageProps) {
  const ask = async (path: string, body?: unknown) => {
    const { asked: what } = await send<Asked>(path, { method: 'POST', body })
    asked({ what, startedAt: facts.startedAt })
  }
  const state = wish && wishState(wish, facts, away)
  const disabled = away || (state !== undefined && state !== 'done')
  return (
    <Stack gap="md">
      {wish && state && <Said wish={wish} state={state} facts={facts} />}
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
        <Restart facts={facts} disabled={disabled} restart={() => ask(CONSOLE_PATHS.restart)} />
        <Stop facts={facts} disabled={disabled} stop={() => ask(CONSOLE_PATHS.stop)} />
      </SimpleGrid>
      <SwitchGateway facts={facts} disabled={disabled} move={(body) => ask(CONSOLE_PATHS.switchGateway, body)} />
    </Stack>
  )
}

const DOING = { stop: 'It stops', restart: 'It restarts', switch: 'It moves to the other gateway' } as const

function Said({ wish, state, facts }: { readonly wish: Wish; readonly state: WishState; readonly facts: NodeFacts }) {
  if (state === 'done')
    return (
      <Alert color="teal" variant="light" title="It runs again" role="status">
        {`${facts.gateway}/${facts.name}, version ${facts.version}`}
      </Alert>
    )
  return (
    <Alert color="blue" variant="light" title={state === 'stopped' ? 'It has stopped' : DOING[wish.what]} role="status">
      {state === 'stopped' ? (
        <WithCode text={`Start it on this machine: \`postern node start --data ${facts.process.data}\`, or its unit of systemd.`} />
      ) : (
        'It finishes what it has, for ten seconds at most; what is left goes to other nodes.'
      )}
    </Alert>
  )
}

function Section({ title, about, children }: { readonly title: string; readonly about: string; readonly children: ReactNode }) {
  return (
    <Part title={title}>
      <Stack gap="sm" align="flex-start">
        <Text size="sm">{about}</Text>
        {children}
      </Stack>
    </Part>
  )
}

interface ActProps {
  readonly facts: NodeFacts
  readonly disabled: boolean
}

function Restart({ facts, disabled, restart }: ActProps & { readonly restart: () => Promise<void> }) {
  const [opened, { open, close }] = useDisclosure(false)
  const act = useMutation({ mutationFn: restart, onSuccess: close })
  return (
    <Section
      title="Restart"
      about={`Starts the same process anew, with the program that is installed now. Running: ${versionText(facts)}.`}
    >
      <Button variant="light" onClick={open} disabled={disabled}>
        Restart…
      </Button>
      <Modal opened={opened} onClose={close} title={`Restart node ${facts.name}`}>
        <Stack gap="sm">
          <Text size="sm">Queries and jobs may finish for ten seconds; what is left goes to other nodes.</Text>
          {act.error && <FaultNote cause={act.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              Leave it running
            </Button>
            <Button onClick={() => act.mutate()} loading={act.isPending} data-autofocus>
              Restart it
            </Button>
          </Group>
        </Stack>
      </Modal>
    </Section>
  )
}

function Stop({ facts, disabled, stop }: ActProps & { readonly stop: () => Promise<void> }) {
  const [opened, { open, close }] = useDisclosure(false)
  return (
    <Section title="Stop" about="Ends the process as SIGTERM does. This page cannot start it again.">
      <Button variant="light" color="red" onClick={open} disabled={disabled}>
        Stop…
      </Button>
      <DeleteByName opened={opened} close={close} title={`node ${facts.name}`} name={facts.name} verb="Stop" remove={stop}>
        Other nodes of the gateway take its work. Where it is the last one, the gateway is offline until it is started again.
      </DeleteByName>
    </Section>
  )
}

interface Switch {
  readonly url: string
  readonly key: string
  /** Left out: the one that it has. */
  readonly name?: string
}

function SwitchGateway({ facts, disabled, move }: ActProps & { readonly move: (body: Switch) => Promise<void> }) {
  const [opened, { open, close }] = useDisclosure(false)
  const [{ url, key, name }, set] = useState({ url: facts.service.url, key: '', name: facts.name as string })
  const change = (field: 'url' | 'key' | 'name') => (event: ChangeEvent<HTMLInputElement>) => {
    const { value } = event.currentTarget
    set((before) => ({ ...before, [field]: value }))
  }
  const wanted = name.trim() === facts.name ? {} : { name: name.trim() }
  return (
    <Section
      title="Switch gateway"
      about={`Takes this machine out of ${facts.gateway}: its key and credentials are wiped from the data folder, and it joins the other gateway as a new node.`}
    >
      <SimpleGrid cols={{ base: 1, sm: 3 }} spacing="sm" w="100%">
        <TextInput label="Address of the service" description="As this machine reaches it" value={url} onChange={change('url')} />
        <TextInput label="Name there" description="Unique in that gateway" value={name} onChange={change('name')} />
        <PasswordInput
          label="Authentication key of the other gateway"
          description="On its page Keys in the portal"
          value={key}
          onChange={change('key')}
          autoComplete="off"
        />
      </SimpleGrid>
      <Button variant="light" color="red" onClick={open} disabled={disabled || [url, key, name].some((text) => text.trim() === '')}>
        Switch gateway…
      </Button>
      <DeleteByName
        opened={opened}
        close={close}
        title={`node ${facts.name} to another gateway`}
        name={facts.name}
        verb="Move"
        remove={async () => {
          await move({ url: url.trim(), key: key.trim(), ...wanted })
          set((before) => ({ ...before, key: '' }))
        }}
      >
        Where it is the last node of {facts.gateway} and there is no recovery key, the credentials of its stores must be given again.
      </DeleteByName>
    </Section>
  )
}
