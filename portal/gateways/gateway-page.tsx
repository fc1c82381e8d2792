import { Alert, Anchor, Breadcrumbs, Button, Group, Modal, SimpleGrid, Stack, Text, Title } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import type { GatewayView } from '@postern/protocol/api/gateways.ts'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { api, KEYS } from '../app/client.ts'
import { NodeTable } from '../nodes/node-table.tsx'
import { FaultNote } from '../parts/fault-note.tsx'
import { StatusMark } from '../parts/status-mark.tsx'
import { adviceFor } from './advice.ts'
import { JoinSteps } from './join-steps.tsx'

const LIVE_MS = 1_000

export function GatewayPage({ name }: { readonly name: string }) {
  const gateway = useQuery({
    queryKey: KEYS.gateway(name),
    queryFn: ({ signal }) => api.gateways.get(name, signal),
    refetchInterval: LIVE_MS,
  })
  const [adding, { open, close }] = useDisclosure(false)
  return (
    <Stack gap="md">
      <Breadcrumbs>
        <Anchor component={Link} to="/gateways" size="sm">
          Gateways
        </Anchor>
        <Text size="sm">{name}</Text>
      </Breadcrumbs>
      {gateway.error && <FaultNote cause={gateway.error} />}
      {gateway.data && (
        <>
          <Group justify="space-between" align="flex-start">
            <Group gap="md" align="baseline">
              <Title order={1}>{gateway.data.name}</Title>
              <StatusMark status={gateway.data.status} />
            </Group>
            <Button onClick={open}>Add a node</Button>
          </Group>
          <Reasons gateway={gateway.data} />
          <Facts gateway={gateway.data} />
          <Title order={2}>Nodes</Title>
          <NodeTable gateway={gateway.data} at={gateway.dataUpdatedAt} />
          <Modal opened={adding} onClose={close} title={`Add a node to ${name}`} size="lg">
            <Stack gap="sm">
              <Text size="sm">
                Put one of the gateway&apos;s two authentication keys in place of KEY. They were shown when the gateway was made; a key that
                is lost is made anew with <b>postern gateway keys {name} --regenerate 1</b>.
              </Text>
              <JoinSteps />
            </Stack>
          </Modal>
        </>
      )}
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

function Facts({ gateway }: { readonly gateway: GatewayView }) {
  const { settings, queue } = gateway
  const facts: readonly (readonly [string, string])[] = [
    ['Choosing a node', settings.policy],
    ['Channel between nodes', settings.channelEncryption],
    ['Copy tasks that wait', queue && queue.tasks > 0 ? `${queue.tasks}, the first for ${Math.round(queue.waitedMs / 1_000)} s` : 'none'],
    ['Version', gateway.version === '' ? 'no node yet' : gateway.version],
    ['Recovery key', gateway.recoveryKeyAt ? `since ${new Date(gateway.recoveryKeyAt).toLocaleDateString()}` : 'none: make one on a node'],
    ['Fingerprint', gateway.fingerprint ?? 'no node yet'],
  ]
  return (
    <SimpleGrid cols={{ base: 1, xs: 2, md: 3 }} spacing="sm" verticalSpacing="sm" component="dl" m={0}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <Text size="xs" c="dimmed" component="dt">
            {name}
          </Text>
          <Text size="sm" component="dd" m={0} style={{ overflowWrap: 'anywhere' }}>
            {value}
          </Text>
        </div>
      ))}
    </SimpleGrid>
  )
}
