import { Alert, Stack, Text, Title } from '@mantine/core'
import type { GatewayView } from '@postern/protocol/api/gateways.ts'
import { getRouteApi } from '@tanstack/react-router'
import { NodeTable } from '../nodes/node-table.tsx'
import { Facts } from '../parts/facts.tsx'
import { adviceFor } from './advice.ts'
import { useGateway } from './use-gateway.ts'

const route = getRouteApi('/gateways/$gateway')

export function GatewayPage() {
  const { data, dataUpdatedAt } = useGateway(route.useParams().gateway)
  if (!data) return null
  return (
    <Stack gap="md">
      <Reasons gateway={data} />
      <Facts facts={factsOf(data)} />
      <Title order={2}>Nodes</Title>
      <NodeTable gateway={data} at={dataUpdatedAt} />
    </Stack>
  )
}

function Reasons({ gateway }: { readonly gateway: GatewayView }) {
  const advice = adviceFor(gateway)
  return (
    <>
      {gateway.statusReasons.length > 0 && (
        <Alert variant="light" color="yellow" role="status" title="Why it is so">
          {gateway.statusReasons.map((reason) => (
            <Text size="sm" key={reason}>
              {reason}
            </Text>
          ))}
        </Alert>
      )}
      {advice.map((text) => (
        <Alert key={text} variant="light" color="blue" role="status" title="Advice">
          {text}
        </Alert>
      ))}
    </>
  )
}

const factsOf = ({ settings, queue, version, recoveryKeyAt, fingerprint }: GatewayView): readonly (readonly [string, string])[] => [
  ['Choosing a node', settings.policy],
  ['Channel between nodes', settings.channelEncryption],
  ['Copy tasks that wait', queue && queue.tasks > 0 ? `${queue.tasks}, the first for ${Math.round(queue.waitedMs / 1_000)} s` : 'none'],
  ['Version', version === '' ? 'no node yet' : version],
  ['Recovery key', recoveryKeyAt ? `since ${new Date(recoveryKeyAt).toLocaleDateString()}` : 'none: make one on a node'],
  ['Fingerprint', fingerprint ?? 'no node yet'],
]
