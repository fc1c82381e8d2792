import { Alert, Button, Group, Modal, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import type { Asked, NodeFacts } from '@postern/protocol/console-api.ts'
import { CONSOLE_PATHS } from '@postern/protocol/console-paths.ts'
import { useMutation } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { DeleteByName } from '../parts/delete-by-name.tsx'
import { FaultNote } from '../parts/fault-note.tsx'
import { versionText } from './node-health.ts'
import { ask } from './session.ts'

interface ProcessPageProps {
  readonly facts: NodeFacts
  readonly away: boolean
}

export function ProcessPage({ facts, away }: ProcessPageProps) {
  const [asked, setAsked] = useState<{ readonly what: Asked['asked']; readonly startedAt: string }>()
  const wish = async (path: string, body?: unknown) => {
    const { asked: what } = await ask<Asked>(path, { method: 'POST', body })
    setAsked({ what, startedAt: facts.startedAt })
  }
  const pending = asked && (away || asked.startedAt === facts.startedAt) ? asked.what : undefined
  return (
    <Stack gap="xl">
      {pending && <Pending what={pending} away={away} />}
      {asked && !pending && (
        <Alert color="teal" variant="light" title="It runs again">
          {`${facts.gateway}/${facts.name}, version ${facts.version}`}
        </Alert>
      )}
      <Restart facts={facts} disabled={pending !== undefined} restart={() => wish(CONSOLE_PATHS.restart)} />
      <Stop facts={facts} disabled={pending !== undefined} stop={() => wish(CONSOLE_PATHS.stop)} />
      <SwitchGateway facts={facts} disabled={pending !== undefined} move={(body) => wish(CONSOLE_PATHS.switchGateway, body)} />
    </Stack>
  )
}

const DOING = { stop: 'It stops', restart: 'It restarts', switch: 'It moves to the other gateway' } as const

function Pending({ what, away }: { readonly what: Asked['asked']; readonly away: boolean }) {
  const stopped = what === 'stop' && away
  return (
    <Alert color="blue" variant="light" title={stopped ? 'It has stopped' : DOING[what]}>
      {stopped
        ? 'Start it on this machine: postern node start, or its unit of systemd.'
        : 'It finishes what it has, for ten seconds at most; what is left goes to other nodes.'}
    </Alert>
  )
}

function Section({ title, about, children }: { readonly title: string; readonly about: string; readonly children: ReactNode }) {
  return (
    <Stack gap="xs" component="section" aria-label={title} align="flex-start">
      <Title order={2}>{title}</Title>
      <Text size="sm" maw={640}>
        {about}
      </Text>
      {children}
    </Stack>
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
        Restart
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
        Stop
      </Button>
      <DeleteByName opened={opened} close={close} title={`node ${facts.name}`} name={facts.name} verb="Stop" remove={stop}>
        Other nodes of the gateway take its work. Where it is the last one, the gateway is offline until it is started again.
      </DeleteByName>
    </Section>
  )
}

function SwitchGateway({ facts, disabled, move }: ActProps & { readonly move: (body: { url: string; key: string }) => Promise<void> }) {
  const [opened, { open, close }] = useDisclosure(false)
  const [url, setUrl] = useState(facts.service.url)
  const [key, setKey] = useState('')
  return (
    <Section
      title="Switch gateway"
      about={`Takes this machine out of ${facts.gateway}: its key and credentials are wiped from the data folder, and it joins the other gateway as a new node.`}
    >
      <TextInput label="Address of the service" value={url} onChange={(event) => setUrl(event.currentTarget.value)} w="100%" maw={480} />
      <PasswordInput
        label="Authentication key of the other gateway"
        description="postern gateway keys NAME --regenerate 1"
        value={key}
        onChange={(event) => setKey(event.currentTarget.value)}
        autoComplete="off"
        w="100%"
        maw={480}
      />
      <Button variant="light" color="red" onClick={open} disabled={disabled || url.trim() === '' || key.trim() === ''}>
        Switch gateway
      </Button>
      <DeleteByName
        opened={opened}
        close={close}
        title={`node ${facts.name} to another gateway`}
        name={facts.name}
        verb="Move"
        remove={() => move({ url: url.trim(), key: key.trim() })}
      >
        Where it is the last node of {facts.gateway} and there is no recovery key, the credentials of its stores must be given again.
      </DeleteByName>
    </Section>
  )
}
