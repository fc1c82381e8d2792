import { Alert, AppShell, Container, Group, MantineProvider, Stack, Text, Title } from '@mantine/core'
import type { NodeFacts } from '@postern/protocol/console-api.ts'
import { CONSOLE_PATHS } from '@postern/protocol/console-paths.ts'
import { QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { theme } from '../app/theme.ts'
import { Arch } from '../parts/arch.tsx'
import { CopyLine } from '../parts/copy-line.tsx'
import { FaultNote } from '../parts/fault-note.tsx'
import { PlaceTabs, tabClass } from '../parts/place-tabs.tsx'
import { SchemeSwitch } from '../parts/scheme-switch.tsx'
import { StatusMark } from '../parts/status-mark.tsx'
import { DiagnosticsPage } from './diagnostics-page.tsx'
import { LogsPage } from './logs-page.tsx'
import { nodeHealth } from './node-health.ts'
import { ProcessPage } from './process-page.tsx'
import { ask, openByAddress, useSession } from './session.ts'
import { StatusPage } from './status-page.tsx'
import { TABS, type Tab, useTab } from './use-tab.ts'
import { type Wish, wishState } from './wish.ts'

const queryClient = new QueryClient({ defaultOptions: { queries: { retry: false, refetchOnWindowFocus: true } } })
const LOOK_MS = 1_000

export function ConsoleApp() {
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <QueryClientProvider client={queryClient}>
        <Frame />
      </QueryClientProvider>
    </MantineProvider>
  )
}

function Frame() {
  const tab = useTab()
  const { data, error } = useQuery({
    queryKey: ['status'],
    queryFn: ({ signal }) => ask<NodeFacts>(CONSOLE_PATHS.status, { signal }),
    refetchInterval: LOOK_MS,
  })
  const [wish, setWish] = useState<Wish>()
  const away = error !== null
  const meant = wish && data && wishState(wish, data, away) !== 'done'
  const name = data?.name
  useEffect(() => {
    if (name !== undefined) document.title = `${name} · Postern node`
  }, [name])
  useEffect(() => {
    void openByAddress()
    const opened = () => void openByAddress()
    addEventListener('hashchange', opened)
    return () => removeEventListener('hashchange', opened)
  }, [])
  return (
    <AppShell header={{ height: 48 }} padding="md">
      <AppShell.Header px="md">
        <Group h="100%" justify="space-between" wrap="nowrap">
          <Group gap="xs" wrap="nowrap">
            <Arch />
            <Text fw={600} style={{ whiteSpace: 'nowrap' }}>
              Postern node
            </Text>
          </Group>
          <SchemeSwitch />
        </Group>
      </AppShell.Header>
      <AppShell.Main>
        <Container size="lg" px={0}>
          <Stack gap="md">
            <Head facts={data} away={away} />
            {error && !meant && <FaultNote cause={error} />}
            <Tabs tab={tab} />
            {data && <Page tab={tab} facts={data} away={away} wish={wish} asked={setWish} />}
          </Stack>
        </Container>
      </AppShell.Main>
    </AppShell>
  )
}

function Tabs({ tab }: { readonly tab: Tab }) {
  return (
    <PlaceTabs label="Parts of this page">
      {TABS.map(({ tab: name, label }) => (
        <a
          key={name}
          href={`#${name}`}
          className={`${tabClass} ${name === tab ? 'active' : ''}`}
          aria-current={name === tab ? 'page' : undefined}
        >
          {label}
        </a>
      ))}
    </PlaceTabs>
  )
}

function Head({ facts, away }: { readonly facts: NodeFacts | undefined; readonly away: boolean }) {
  if (!facts) return <Title order={1}>This node</Title>
  const { status, reasons } = nodeHealth(facts)
  return (
    <Stack gap={4}>
      <Group gap="sm" align="baseline">
        <Title order={1}>{facts.name}</Title>
        <Text c="dimmed">node of gateway {facts.gateway}</Text>
        <StatusMark status={away ? 'offline' : status} />
      </Group>
      {!away &&
        reasons.map((reason) => (
          <Text key={reason} size="sm">
            {reason}
          </Text>
        ))}
      {facts.notice && (
        <Alert color="yellow" variant="light" title="Not as asked">
          {facts.notice}
        </Alert>
      )}
    </Stack>
  )
}

interface PageProps {
  readonly tab: Tab
  readonly facts: NodeFacts
  readonly away: boolean
  readonly wish: Wish | undefined
  readonly asked: (wish: Wish) => void
}

function Page({ tab, facts, away, wish, asked }: PageProps) {
  const session = useSession()
  if (tab === 'status') return <StatusPage facts={facts} />
  if (session.at === 'opening') return null
  if (session.at === 'out') return <SignedOut why={session.why} data={facts.process.data} />
  if (tab === 'diagnostics') return <DiagnosticsPage facts={facts} />
  if (tab === 'logs') return <LogsPage away={away} />
  return <ProcessPage facts={facts} away={away} wish={wish} asked={asked} />
}

function SignedOut({ why, data }: { readonly why: unknown; readonly data: string }) {
  return (
    <Stack gap="sm" maw={720}>
      {why !== undefined && <FaultNote cause={why} />}
      <Text size="sm">
        Whoever may read this node's data folder may see its logs and steer it. To show that it is you, run on this machine, as that user:
      </Text>
      <CopyLine text={`postern node console --data ${data}`} />
      <Text size="sm">
        and open the address that it prints. It is good once, for two minutes; this tab then stays signed in for twelve hours.
      </Text>
    </Stack>
  )
}
