import { Paper, SimpleGrid, Stack, Table, Text, Title } from '@mantine/core'
import type { NodeFacts } from '@postern/protocol/console-api.ts'
import type { ReactNode } from 'react'
import { Facts } from '../parts/facts.tsx'
import { duration, moment } from '../parts/figures.ts'
import { StatusMark } from '../parts/status-mark.tsx'
import { proxyText, versionText } from './node-health.ts'

export function StatusPage({ facts }: { readonly facts: NodeFacts }) {
  return (
    <Stack gap="md">
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
        <Part title="Connection">
          <Facts facts={connectionOf(facts)} />
        </Part>
        <Part title="Node">
          <Facts facts={nodeOf(facts)} />
        </Part>
        <Part title="Keys and credentials">
          <Facts facts={credentialsOf(facts)} />
        </Part>
        <Part title="Channel">
          <Facts facts={channelOf(facts)} />
        </Part>
      </SimpleGrid>
      <Part title="Other nodes of the gateway">
        <PeerTable peers={facts.peers} />
      </Part>
    </Stack>
  )
}

function Part({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <Paper withBorder p="sm" component="section" aria-label={title}>
      <Title order={2} mb="xs">
        {title}
      </Title>
      {children}
    </Paper>
  )
}

type Rows = readonly (readonly [string, ReactNode])[]

const connectionOf = ({ service, link, proxy, cutOff }: NodeFacts): Rows => [
  ['Service', service.url],
  ['Last answer', `${duration(service.heardSecondsAgo * 1_000)} ago`],
  ['Link', link.state === 'up' ? `${link.count > 1 ? `${link.count} up` : 'up'}, ${link.transport}` : link.state],
  ['Link since', link.since ? moment(link.since) : '–'],
  ['Proxy', proxyText(proxy)],
  ...(service.remedy ? ([['What to do', service.remedy]] as const) : []),
  ...(cutOff ? ([['Cut off', 'Sessions are ended until the service is heard of']] as const) : []),
]

const nodeOf = (facts: NodeFacts): Rows => [
  ['Role', facts.role],
  ['Version', versionText(facts)],
  ['Running since', moment(facts.startedAt)],
  ['Jobs', `${facts.runningJobs} of ${facts.jobLimit}`],
  ['Queries', facts.runningQueries],
  ['Process', `${facts.process.pid}, Node.js ${facts.process.node}`],
  ['Machine', facts.process.platform],
  ['Data folder', facts.process.data],
  ['Node id', facts.nodeId],
]

const RECOVERY = new Map([
  [true, 'The gateway has one'],
  [false, 'None: make one with postern node recovery-key'],
])

const credentialsOf = (facts: NodeFacts): Rows => {
  const { gatewayKeyFingerprint: key, gatewayKeyFault, recoveryKey, storesBehind, staleCredentials, storesVersion } = facts
  return [
    ['Gateway key', key ?? `Not here yet${gatewayKeyFault ? `: ${gatewayKeyFault}` : ''}`],
    ['Recovery key', recoveryKey === null ? 'The service has not said yet' : RECOVERY.get(recoveryKey)],
    [
      'Credential store',
      storesBehind ? `Behind by ${storesBehind.changes}: ${storesBehind.reason}` : `In sync, state ${storesVersion ?? 'none yet'}`,
    ],
    ['Cannot be used', staleCredentials === 0 ? 'None' : `${staleCredentials}: see Diagnostics`],
  ]
}

const channelOf = ({ channel }: NodeFacts): Rows => {
  const { certificate } = channel
  return [
    ['Encryption', channel.encryption === 'off' ? 'off: calls are in clear' : channel.encryption],
    ['Accepts', channel.accepts.join(', ')],
    ['Address', channel.address ?? 'Not known before the service is reached'],
    ['Certificate', certificate ? (certificate.from === 'own' ? 'Your own' : "Of the service's authority, renewed by itself") : 'None'],
    ...(certificate ? ([['Valid until', moment(certificate.validUntil)]] as const) : []),
    ...(channel.fault ? ([['Trouble', channel.fault]] as const) : []),
  ]
}

function PeerTable({ peers }: Pick<NodeFacts, 'peers'>) {
  if (peers.length === 0)
    return (
      <Text size="sm" c="dimmed">
        None: this is the only node of its gateway.
      </Text>
    )
  return (
    <Table.ScrollContainer minWidth={480} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Node</Table.Th>
            <Table.Th>To the service</Table.Th>
            <Table.Th>Channel</Table.Th>
            <Table.Th>From here</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {peers.map(({ name, online, channel, fault }) => (
            <Table.Tr key={name}>
              <Table.Td>{name}</Table.Td>
              <Table.Td>
                <StatusMark status={online ? 'online' : 'offline'} />
              </Table.Td>
              <Table.Td>{channel ?? '–'}</Table.Td>
              <Table.Td>{fault ?? (online && channel ? 'reached' : 'not called')}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}
