import { Alert, Stack, Text, Title } from '@mantine/core'
import type { NodeView } from '@postern/protocol/api/gateways.ts'
import { getRouteApi } from '@tanstack/react-router'
import { Facts } from '../parts/facts.tsx'
import { LackedStores } from './lacked-stores.tsx'
import { NodeDiagnostics } from './node-diagnostics.tsx'
import { factsOf, limitsOf } from './node-facts.ts'
import { NodeHour } from './node-hour.tsx'
import { NodeSummary } from './node-summary.tsx'
import { useNode } from './use-node.ts'

const route = getRouteApi('/gateways/$gateway/nodes/$node')

export function NodePage() {
  const { gateway, node: name } = route.useParams()
  const { data, dataUpdatedAt } = useNode(gateway, name)
  if (!data) return null
  return (
    <Stack gap="lg">
      <Reasons node={data} />
      <NodeSummary node={data} at={dataUpdatedAt} />
      <Facts facts={factsOf(data)} />
      <NodeHour gateway={gateway} name={name} totalMemoryBytes={data.totalMemoryBytes} />
      <Stack gap="xs" component="section" aria-label="Limits">
        <Title order={2}>Limits, and how each came about</Title>
        <Facts facts={limitsOf(data)} />
      </Stack>
      <LackedStores node={data} />
      <NodeDiagnostics name={name} />
    </Stack>
  )
}

function Reasons({ node }: { readonly node: NodeView }) {
  if (node.statusReasons.length === 0) return null
  return (
    <Alert variant="light" color={node.status === 'offline' ? 'red' : 'yellow'} role="status" title={`Why it is ${node.status}`}>
      {node.statusReasons.map((reason) => (
        <Text size="sm" key={reason}>
          {reason}
        </Text>
      ))}
    </Alert>
  )
}
