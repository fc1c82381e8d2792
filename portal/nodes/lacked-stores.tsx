import { Anchor, Stack, Table, Text, Title } from '@mantine/core'
import type { NodeView } from '@postern/protocol/api/gateways.ts'
import { Link } from '@tanstack/react-router'

/** The credentials of the node: whether it has those of today, and what it answers no query for. */
export function LackedStores({ node }: { readonly node: NodeView }) {
  return (
    <Stack gap="xs" component="section" aria-label="Credentials" id="credentials">
      <Title order={2}>Credentials</Title>
      <Text size="sm">
        {node.credentialStatus === 'in-sync'
          ? 'In sync: it has the credentials of today of every store.'
          : `Status: ${node.credentialStatus}. For a store that it lacks it answers no query; the others do.`}
      </Text>
      {node.lacks.length > 0 && (
        <Table.ScrollContainer minWidth={420}>
          <Table>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Store</Table.Th>
                <Table.Th ta="right">Version of today</Table.Th>
                <Table.Th ta="right">It has</Table.Th>
                <Table.Th>Because</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {node.lacks.map(({ store, version, has, reason }) => (
                <Table.Tr key={store}>
                  <Table.Td>
                    <Anchor size="sm" renderRoot={(props) => <Link to="/stores/$store" params={{ store }} {...props} />}>
                      {store}
                    </Anchor>
                  </Table.Td>
                  <Table.Td ta="right">{version}</Table.Td>
                  <Table.Td ta="right">{has ?? 'none'}</Table.Td>
                  <Table.Td>{reason}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </Stack>
  )
}
