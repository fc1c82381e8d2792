import { SimpleGrid, Stack, Table, Text } from '@mantine/core'
import type { NodeFacts } from '@postern/protocol/console-api.ts'
import { moment } from '../parts/figures.ts'
import { StatusMark } from '../parts/status-mark.tsx'
import { WithCode } from '../parts/with-code.tsx'
import { type FactRow, FactRows } from './fact-rows.tsx'
import { answeredText, proxyText, untilText, updateText } from './node-health.ts'
import { Part } from './part.tsx'

export function StatusPage({ facts }: { readonly facts: NodeFacts }) {
  return (
    <Stack gap="md">
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
        <Part title="Connection">
          <FactRows rows={connectionOf(facts)} />
        </Part>
        <Part title="Node">
          <FactRows rows={nodeOf(facts)} />
        </Part>
        <Part title="Keys and credentials">
          <FactRows rows={credentialsOf(facts)} />
        </Part>
        <Part title="Channel">
          <FactRows rows={channelOf(facts)} />
        </Part>
      </SimpleGrid>
      <Part title="Other nodes of the gateway">
        <PeerTable peers={facts.peers} />
      </Part>
    </Stack>
  )
}

const connectionOf = ({ service, link, proxy, cutOff }: NodeFacts): readonly FactRow[] => [
  ['Service', service.url],
  ['Last answer', answeredText(service)],
  ...(service.remedy ? ([['What to do', <WithCode key="remedy" text={service.remedy} />]] as const) : []),
  ['Link', link.state === 'up' ? `${link.count > 1 ? `${link.count} up` : 'up'}, ${link.transport}` : link.state],
  ['Link since', link.since ? moment(link.since) : '–'],
  ['Proxy', proxyText(proxy)],
  ...(cutOff ? ([['Cut off', 'Sessions are ended until the service is heard of']] as const) : []),
]

const nodeOf = (facts: NodeFacts): readonly FactRow[] => [
  ['Role', facts.role],
  ['Version', facts.version],
  ['Update', updateText(facts)],
  ['Work', `${facts.runningJobs} of ${facts.jobLimit} jobs, ${facts.runningQueries} ${facts.runningQueries === 1 ? 'query' : 'queries'}`],
  ['Running since', moment(facts.startedAt)],
  ['Process', `${facts.process.pid}, Node.js ${facts.process.node}, ${facts.process.platform}`],
  ['Data folder', facts.process.data],
  ['Node id', facts.nodeId],
]

const NO_RECOVERY = 'None. Make one with `postern node recovery-key`: without it, what is sealed is lost with the last node'

const credentialsOf = (facts: NodeFacts): readonly FactRow[] => {
  const { gatewayKeyFingerprint: key, gatewayKeyFault, recoveryKey, storesBehind, staleCredentials, storesVersion } = facts
  const recovery = recoveryKey === null ? 'The service has not said yet' : recoveryKey ? 'The gateway has one' : undefined
  return [
    ['Gateway key', key ?? `Not here yet${gatewayKeyFault ? `: ${gatewayKeyFault}` : ''}`],
    ['Recovery key', recovery ?? <WithCode key="recovery" text={NO_RECOVERY} />],
    [
      'Credential store',
      storesBehind ? `Behind by ${storesBehind.changes}: ${storesBehind.reason}` : `In sync, state ${storesVersion ?? 'none yet'}`,
    ],
    ['Cannot be used', staleCredentials === 0 ? 'None' : `${staleCredentials}: see Diagnostics`],
  ]
}

const channelOf = ({ channel }: NodeFacts): readonly FactRow[] => {
  const { certificate, encryption, accepts } = channel
  const others = accepts.filter((one) => one !== encryption)
  return [
    ['Encryption', encryption === 'off' ? 'off: calls are in clear' : encryption],
    ...(others.length > 0 ? ([['Accepts too', others.join(', ')]] as const) : []),
    ['Address', channel.address ?? 'Not known before the service is reached'],
    ['Certificate', certificate ? (certificate.from === 'own' ? 'Your own' : "Of the service's authority, renewed by itself") : 'None'],
    ...(certificate
      ? ([['Valid until', `${moment(certificate.validUntil)}, ${untilText(certificate.validUntil, Date.now())}`]] as const)
      : []),
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
    <Table>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Node</Table.Th>
          <Table.Th>To the service</Table.Th>
          <Table.Th visibleFrom="sm">Channel</Table.Th>
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
            <Table.Td visibleFrom="sm">{channel ?? '–'}</Table.Td>
            <Table.Td style={{ overflowWrap: 'anywhere' }}>{fault ?? (online && channel ? 'reached' : 'not called')}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}
