import { Button, Group, Modal, Select, Table, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import type { TokenView } from '@postern/protocol/api/tokens.ts'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { api, KEYS } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { useMe, useRights } from '../sign-in/use-rights.ts'
import { FindField, FoundList } from './found-list.tsx'
import { NewToken } from './new-token.tsx'
import { PeopleFrame } from './people-frame.tsx'
import { matching, readTokenSearch, type TokenSearch } from './people-search.ts'
import { TokenRow } from './token-row.tsx'
import { allows } from './token-words.ts'

const route = getRouteApi('/tokens')
const KINDS = [
  { value: 'mine', label: 'Your own' },
  { value: 'programs', label: 'Of programs' },
  { value: 'people', label: 'Of other people' },
]

export function TokensPage() {
  const search = route.useSearch()
  const me = useMe()
  const [adding, { open, close }] = useDisclosure(false)
  const tokens = useQuery({ queryKey: KEYS.tokens, queryFn: ({ signal }) => api.tokens.list(signal) })
  const of = (tokens.data ?? []).filter(({ owner }) => isKind(owner, search, me?.name ?? ''))
  const found = matching(of, search.find, (token) => [token.name, token.id, token.owner ?? 'program', allows(token)])
  return (
    <PeopleFrame title="Tokens" actions={<Button onClick={open}>New token</Button>}>
      <Text size="sm" c="dimmed">
        For programs: the command line, scripts, dashboards. A token of your own never does more than you may, and ends with your account.
      </Text>
      {tokens.error && <FaultNote cause={tokens.error} />}
      <Filters />
      <FoundList
        all={tokens.data}
        found={found}
        none="There is no token that you may see."
        noneFound="No token is like that. Take a filter away."
      >
        {(shown) => <TokenTable tokens={shown} />}
      </FoundList>
      <Modal opened={adding} onClose={close} title="New token" size="lg">
        <NewToken done={close} />
      </Modal>
    </PeopleFrame>
  )
}

function isKind(owner: string | null, { kind }: TokenSearch, me: string): boolean {
  if (kind === undefined) return true
  if (kind === 'programs') return owner === null
  return owner !== null && (owner === `person/${me}`) === (kind === 'mine')
}

function Filters() {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const { may } = useRights()
  const set = (change: Readonly<Record<string, unknown>>) =>
    void navigate({ search: readTokenSearch({ ...search, ...change }), replace: true })
  return (
    <Group gap="sm" role="search" aria-label="Filter tokens">
      <FindField label="Find tokens" placeholder="Name, role or place" find={search.find} onFind={(find) => set({ find })} />
      {may('tokens:read') && (
        <Select
          aria-label="Whose"
          placeholder="Everybody’s"
          clearable
          data={KINDS}
          value={search.kind ?? null}
          onChange={(kind) => set({ kind })}
          w={180}
        />
      )}
    </Group>
  )
}

function TokenTable({ tokens }: { readonly tokens: readonly TokenView[] }) {
  return (
    <Table.ScrollContainer minWidth="min-content">
      <Table highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th visibleFrom="sm">Of</Table.Th>
            <Table.Th>May</Table.Th>
            <Table.Th visibleFrom="sm">Each query</Table.Th>
            <Table.Th visibleFrom="sm">Made</Table.Th>
            <Table.Th>Ends</Table.Th>
            <Table.Th aria-label="Actions" />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {tokens.map((token) => (
            <TokenRow key={token.id} token={token} />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}
