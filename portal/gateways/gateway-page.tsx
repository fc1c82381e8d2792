import { Alert, Anchor, Stack, Text, Title } from '@mantine/core'
import type { GatewayView } from '@postern/protocol/api/gateways.ts'
import { getRouteApi, Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { NodeSearch } from '../nodes/node-list.ts'
import { NodeTable } from '../nodes/node-table.tsx'
import { Facts } from '../parts/facts.tsx'
import { shortMoment } from '../parts/figures.ts'
import { adviceFor } from './advice.ts'
import { GatewaySummary } from './gateway-summary.tsx'
import { NextStep } from './next-step.tsx'
import { useGateway } from './use-gateway.ts'

const route = getRouteApi('/gateways/$gateway/')
/** With fewer nodes the table below says it of each. */
const MANY = 10
const MOST_REASONS = 3

export function GatewayPage() {
  const { data, dataUpdatedAt } = useGateway(route.useParams().gateway)
  const search = route.useSearch()
  const navigate = route.useNavigate()
  if (!data) return null
  return (
    <Stack gap="md">
      <Trouble gateway={data} />
      <NextStep gateway={data.name} isReady={data.publicKey !== null && data.nodes.some(({ status }) => status === 'online')} />
      <Advice gateway={data} />
      {data.nodes.length > 0 && <GatewaySummary gateway={data} at={dataUpdatedAt} />}
      <NodeTable
        gateway={data}
        at={dataUpdatedAt}
        search={search}
        onSearch={(next: NodeSearch) => void navigate({ search: next, replace: true })}
      />
      <Title order={2} mt="sm">
        About this gateway
      </Title>
      <Facts facts={factsOf(data)} />
    </Stack>
  )
}

/** What one would have to scroll for. */
function Trouble({ gateway: { name, nodes, statusReasons } }: { readonly gateway: GatewayView }) {
  if (nodes.length <= MANY || statusReasons.length === 0) return null
  return (
    <Alert variant="light" color="yellow" role="status" title="Not every node is online">
      {statusReasons.slice(0, MOST_REASONS).map((reason) => (
        <Text size="sm" key={reason}>
          {reason}
        </Text>
      ))}
      <Anchor
        size="sm"
        renderRoot={(props) => <Link to="/gateways/$gateway" params={{ gateway: name }} search={{ status: 'trouble' }} {...props} />}
      >
        Show these nodes only
      </Anchor>
    </Alert>
  )
}

function Advice({ gateway }: { readonly gateway: GatewayView }) {
  return adviceFor(gateway).map(({ text, setting }) => (
    <Alert key={setting ?? 'add'} variant="light" role="status" title="Advice">
      <Text size="sm">{text}</Text>
      {setting && (
        <Anchor
          size="sm"
          renderRoot={(props) => (
            <Link to="/gateways/$gateway/settings" params={{ gateway: gateway.name }} hash={`setting-${setting}`} {...props} />
          )}
        >
          Open the setting
        </Anchor>
      )}
    </Alert>
  ))
}

function factsOf({ name, settings, recoveryKeyAt, fingerprint }: GatewayView): readonly (readonly [string, ReactNode])[] {
  return [
    ['Choosing a node for a query', settings.policy],
    ['Channel between nodes', settings.channelEncryption],
    ['Proxy', settings.proxyUrl === '' ? 'none' : settings.proxyUrl],
    ['Recovery key', <Recovery key="recovery" gateway={name} since={recoveryKeyAt} />],
    ['Fingerprint of its key', fingerprint ?? 'none yet: the first node makes the key'],
  ]
}

function Recovery({ gateway, since }: { readonly gateway: string; readonly since: string | null }) {
  if (since !== null) return `since ${shortMoment(since)}`
  return (
    <Anchor size="sm" renderRoot={(props) => <Link to="/gateways/$gateway/keys" params={{ gateway }} {...props} />}>
      none: make one
    </Anchor>
  )
}
