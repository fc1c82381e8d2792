import { Button, Table, Text } from '@mantine/core'
import type { SignInView } from '@postern/protocol/api/people.ts'
import { Ago } from './ago.tsx'
import { programOf } from './program-words.ts'

interface SignInTableProps {
  readonly signIns: readonly SignInView[]
  /** Of one's own: each can be ended by itself. */
  readonly end?: ((id: string) => void) | undefined
}

export function SignInTable({ signIns, end }: SignInTableProps) {
  if (signIns.length === 0)
    return (
      <Text size="sm" c="dimmed">
        Nowhere.
      </Text>
    )
  return (
    <Table.ScrollContainer minWidth="min-content">
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>With</Table.Th>
            <Table.Th>From</Table.Th>
            <Table.Th visibleFrom="sm">By</Table.Th>
            <Table.Th visibleFrom="sm">Signed in</Table.Th>
            <Table.Th>Last used</Table.Th>
            <Table.Th visibleFrom="sm">Ends</Table.Th>
            {end && <Table.Th aria-label="Actions" />}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {signIns.map((signIn) => (
            <SignInRow key={signIn.id} signIn={signIn} end={end} />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

function SignInRow({ signIn, end }: { readonly signIn: SignInView; readonly end: SignInTableProps['end'] }) {
  const { id, way, createdAt, usedAt, expiresAt, address, agent, current } = signIn
  return (
    <Table.Tr>
      <Table.Td>
        <Text size="sm" title={agent}>
          {programOf(agent)}
        </Text>
        {current && (
          <Text size="xs" c="dimmed">
            this one
          </Text>
        )}
      </Table.Td>
      <Table.Td>{address ?? 'unknown'}</Table.Td>
      <Table.Td visibleFrom="sm">{way}</Table.Td>
      <Table.Td visibleFrom="sm">
        <Ago at={createdAt} />
      </Table.Td>
      <Table.Td>
        <Ago at={usedAt} />
      </Table.Td>
      <Table.Td visibleFrom="sm">
        <Ago at={expiresAt} />
      </Table.Td>
      {end && (
        <Table.Td ta="right">
          {!current && (
            <Button variant="subtle" color="red" size="compact-xs" onClick={() => end(id)} aria-label={`End the sign-in from ${address}`}>
              End
            </Button>
          )}
        </Table.Td>
      )}
    </Table.Tr>
  )
}
