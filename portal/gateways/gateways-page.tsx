import { Anchor, Button, Code, Group, Modal, Stack, Table, Text, TextInput, Title } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useDisclosure } from '@mantine/hooks'
import type { GatewayMade } from '@postern/client/client.ts'
import type { GatewayView } from '@postern/protocol/api/gateways.ts'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { api, KEYS, queryClient } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { StatusMark } from '../parts/status-mark.tsx'
import { JoinSteps } from './join-steps.tsx'

const LIVE_MS = 2_000

export function GatewaysPage() {
  const [open, { open: show, close }] = useDisclosure(false)
  const gateways = useQuery({ queryKey: KEYS.gateways, queryFn: ({ signal }) => api.gateways.list(signal), refetchInterval: LIVE_MS })
  return (
    <Stack gap="md">
      <Group justify="space-between">
        <Title order={1}>Gateways</Title>
        <Button onClick={show}>New gateway</Button>
      </Group>
      {gateways.error && <FaultNote cause={gateways.error} />}
      {gateways.data?.length === 0 && (
        <Text c="dimmed">
          There is no gateway yet. Make one, then install a node beside your data and join it with the line that you are shown.
        </Text>
      )}
      {gateways.data && gateways.data.length > 0 && <GatewayTable gateways={gateways.data} />}
      <Modal opened={open} onClose={close} title="New gateway" size="lg">
        <NewGateway />
      </Modal>
    </Stack>
  )
}

function GatewayTable({ gateways }: { readonly gateways: readonly GatewayView[] }) {
  return (
    <Table.ScrollContainer minWidth={520}>
      <Table highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th>Status</Table.Th>
            <Table.Th ta="right">Nodes online</Table.Th>
            <Table.Th ta="right">Queries</Table.Th>
            <Table.Th ta="right">Copy tasks</Table.Th>
            <Table.Th>Version</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {gateways.map((gateway) => (
            <Table.Tr key={gateway.id}>
              <Table.Td>
                <Anchor
                  size="sm"
                  fw={500}
                  renderRoot={(props) => <Link to="/gateways/$gateway" params={{ gateway: gateway.name }} {...props} />}
                >
                  {gateway.name}
                </Anchor>
              </Table.Td>
              <Table.Td>
                <StatusMark status={gateway.status} reasons={gateway.statusReasons} />
              </Table.Td>
              <Table.Td ta="right">
                {gateway.nodes.filter(({ status }) => status === 'online').length} of {gateway.nodes.length}
              </Table.Td>
              <Table.Td ta="right">{gateway.nodes.reduce((sum, node) => sum + node.runningQueries, 0)}</Table.Td>
              <Table.Td ta="right">{gateway.nodes.reduce((sum, node) => sum + node.runningJobs, 0)}</Table.Td>
              <Table.Td>{gateway.version}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

/** The keys are made in the browser, and shown this once. */
function NewGateway() {
  const form = useForm({ mode: 'uncontrolled', initialValues: { name: '' } })
  const make = useMutation({
    mutationFn: ({ name }: { readonly name: string }): Promise<GatewayMade> => api.gateways.create({ name }),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: KEYS.gateways }),
  })
  if (make.data)
    return (
      <Stack gap="sm">
        <Text size="sm">
          Gateway <b>{make.data.name}</b> is made. Its two keys are shown now and never again: keep them where your passwords are. They open
          nothing but the joining of nodes.
        </Text>
        <Code block>{`key 1  ${make.data.key1}\nkey 2  ${make.data.key2}`}</Code>
        <JoinSteps joinKey={make.data.key1} />
      </Stack>
    )
  return (
    <form onSubmit={form.onSubmit((values) => make.mutate(values))}>
      <Stack gap="sm">
        <TextInput
          label="Name"
          description="Letters, digits, “.”, “_” and “-”"
          required
          data-autofocus
          key={form.key('name')}
          {...form.getInputProps('name')}
        />
        {make.error && <FaultNote cause={make.error} />}
        <Group justify="flex-end">
          <Button type="submit" loading={make.isPending}>
            Make the gateway
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
