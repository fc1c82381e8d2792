import { Anchor, Table, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import type { TokenView } from '@postern/protocol/api/tokens.ts'
import { Link } from '@tanstack/react-router'
import { api, KEYS, queryClient } from '../app/client.ts'
import { CrossButton } from '../parts/cross-button.tsx'
import { DeleteByName } from '../parts/delete-by-name.tsx'
import { bytes, count, duration } from '../parts/figures.ts'
import { StatusMark } from '../parts/status-mark.tsx'
import { useMe, useRights } from '../sign-in/use-rights.ts'
import { Ago } from './ago.tsx'
import { PrincipalLink } from './links.tsx'
import { allows, isOver } from './token-words.ts'

export function TokenRow({ token }: { readonly token: TokenView }) {
  return (
    <Table.Tr>
      <Table.Td>
        <Text size="sm" fw={500}>
          {token.name}
        </Text>
        <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
          {token.id}
        </Text>
      </Table.Td>
      <Table.Td visibleFrom="sm">{token.owner === null ? 'a program' : <PrincipalLink who={token.owner} />}</Table.Td>
      <Table.Td maw={320}>
        {allows(token)}
        {token.owner === null && <Given token={token} />}
      </Table.Td>
      <Table.Td visibleFrom="sm">{limitsOf(token)}</Table.Td>
      <Table.Td visibleFrom="sm">
        <Ago at={token.createdAt} />
        <Text size="xs" c="dimmed">
          by {token.createdBy}
        </Text>
      </Table.Td>
      <Table.Td>{isOver(token, Date.now()) ? <StatusMark status="expired" /> : <Ago at={token.expiresAt} />}</Table.Td>
      <Table.Td ta="right">
        <DeleteToken token={token} />
      </Table.Td>
    </Table.Tr>
  )
}

/** A program can have roles given to it like a person, besides those it was made with. */
function Given({ token }: { readonly token: TokenView }) {
  return (
    <Anchor size="xs" display="block" renderRoot={(props) => <Link to="/grants" search={{ to: `token/${token.id}` }} {...props} />}>
      roles given
    </Anchor>
  )
}

function limitsOf({ limits: { timeoutMs, maxRows, maxBytes, concurrency, connections } }: TokenView): string {
  const said = [
    timeoutMs === undefined ? '' : `${duration(timeoutMs)} at most`,
    maxRows === undefined ? '' : `${count(maxRows)} rows`,
    maxBytes === undefined ? '' : bytes(maxBytes),
    concurrency === undefined ? '' : `${concurrency} at a time`,
    connections === undefined ? '' : `${connections} connections`,
  ]
  return said.filter(Boolean).join(', ') || 'as its store'
}

function DeleteToken({ token }: { readonly token: TokenView }) {
  const [deleting, { open, close }] = useDisclosure(false)
  const me = useMe()
  const { may } = useRights()
  const mine = token.owner !== null && token.owner === `person/${me?.name ?? ''}`
  const because = mine || may('tokens:write') ? undefined : 'It is not yours: deleting it needs tokens:write'
  return (
    <>
      <CrossButton label={`Delete token ${token.name}`} hint="Delete" because={because} onClick={open} />
      <DeleteByName
        opened={deleting}
        close={close}
        title={`token ${token.name}`}
        name={token.name}
        remove={async () => {
          await api.tokens.delete(token.id)
          await queryClient.invalidateQueries({ queryKey: KEYS.tokens })
        }}
      >
        It opens nothing any more within a second, and connections that were opened with it end. It cannot be brought back: a program that
        still has it needs another.
      </DeleteByName>
    </>
  )
}
