import { Code, Modal, Stack, Table, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, KEYS, queryClient } from '../app/client.ts'
import { DeleteByName } from '../parts/delete-by-name.tsx'
import { FaultNote } from '../parts/fault-note.tsx'
import { moment, shortMoment } from '../parts/figures.ts'
import { ReasonedButton } from '../parts/reasoned-button.tsx'
import { ShownOnce } from '../parts/shown-once.tsx'
import { JoinSteps } from './join-steps.tsx'

type Slot = 1 | 2
interface MadeKey {
  readonly slot: Slot
  readonly text: string
}

/** What joins a node to the gateway. There are two, so that one can be replaced while the other is in use. */
export function JoinKeys({ gateway, because }: { readonly gateway: string; readonly because: string | undefined }) {
  const keys = useQuery({ queryKey: KEYS.gatewayKeys(gateway), queryFn: ({ signal }) => api.gateways.keys(gateway, signal) })
  const [asking, setAsking] = useState<Slot>()
  const [made, setMade] = useState<MadeKey>()
  const replace = async (slot: Slot) => {
    const { key1, key2 } = await api.gateways.regenerateKey(gateway, slot)
    setMade({ slot, text: key1 ?? key2 ?? '' })
    await queryClient.invalidateQueries({ queryKey: KEYS.gatewayKeys(gateway) })
  }
  return (
    <Stack gap="xs" component="section" aria-label="Authentication keys">
      <Title order={2}>Authentication keys</Title>
      <Text size="sm" c="dimmed" maw={720}>
        What joins a node. Either of the two will do, so that one can be replaced while the other is in use. The service keeps only what it
        can check them by.
      </Text>
      {keys.error && <FaultNote cause={keys.error} />}
      <Table maw={720} horizontalSpacing="xs">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Key</Table.Th>
            <Table.Th>Begins with</Table.Th>
            <Table.Th>Made</Table.Th>
            <Table.Th aria-label="Actions" />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {keys.data?.keys.map(({ slot, hint, createdAt }) => (
            <Table.Tr key={slot}>
              <Table.Td>{slot}</Table.Td>
              <Table.Td>
                <Code>{hint}</Code>
              </Table.Td>
              <Table.Td title={moment(createdAt)}>{shortMoment(createdAt)}</Table.Td>
              <Table.Td ta="right">
                <ReasonedButton variant="default" because={because} onClick={() => setAsking(slot)}>
                  Replace…
                </ReasonedButton>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {asking !== undefined && (
        <DeleteByName
          opened
          verb="Replace"
          close={() => setAsking(undefined)}
          title={`key ${asking} of ${gateway}`}
          name={gateway}
          remove={() => replace(asking)}
        >
          The old key joins nobody any more. Nodes that have joined with it stay.
        </DeleteByName>
      )}
      <Modal
        opened={made !== undefined}
        onClose={() => setMade(undefined)}
        title={`Key ${made?.slot} of ${gateway}`}
        size="lg"
        closeOnClickOutside={false}
      >
        {made && <NewKey made={made} />}
      </Modal>
    </Stack>
  )
}

function NewKey({ made }: { readonly made: MadeKey }) {
  return (
    <Stack gap="sm">
      <ShownOnce secret={made.text}>
        Made in this browser. Keep it where your passwords are; it opens nothing but the joining of nodes.
      </ShownOnce>
      <JoinSteps joinKey={made.text} />
    </Stack>
  )
}
