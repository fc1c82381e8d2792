import { Button, Group, Modal, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { api, KEYS } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { ReasonedButton } from '../parts/reasoned-button.tsx'
import { SettledField } from '../parts/settled-field.tsx'
import { useRights } from '../sign-in/use-rights.ts'
import { GiveRole } from './give-role.tsx'
import { GrantTable } from './grant-table.tsx'
import { PeopleFrame } from './people-frame.tsx'
import { type GrantSearch, readGrantSearch } from './people-search.ts'
import { usePlacesToGive } from './use-places.ts'
import { usePrincipals } from './use-principals.ts'

const route = getRouteApi('/grants')
const SHOWN = 500

export function GrantsPage() {
  const search = route.useSearch()
  const { mayAnywhere } = useRights()
  const [giving, { open, close }] = useDisclosure(false)
  const wanted = asked(search)
  const grants = useQuery({ queryKey: [...KEYS.grants, wanted], queryFn: ({ signal }) => api.grants.list(wanted, signal) })
  const because = mayAnywhere('grants:write')
    ? undefined
    : 'You may give roles nowhere: owners of stores, admins of gateways and administrators may'
  const emptyText = because === undefined ? 'No role has been given yet.' : 'No role was given to you or to a group of yours.'
  return (
    <PeopleFrame
      title="Roles given"
      actions={
        <ReasonedButton because={because} onClick={open}>
          Give a role
        </ReasonedButton>
      }
    >
      <Text size="sm" c="dimmed">
        On gateways and stores, and on the service to groups. What people and tokens have on the whole service themselves stands with them.
        {because !== undefined && ' You see what you have yourself.'}
      </Text>
      <Filters />
      {grants.error && <FaultNote cause={grants.error} />}
      {grants.data?.length === 0 && (
        <Text size="sm" c="dimmed">
          {(search.to ?? search.on) ? 'Nothing was given like that. Take a filter away.' : emptyText}
        </Text>
      )}
      {grants.data && grants.data.length > 0 && <GrantTable grants={grants.data.slice(0, SHOWN)} />}
      {(grants.data?.length ?? 0) > SHOWN && (
        <Text size="sm" c="dimmed">
          And {(grants.data?.length ?? 0) - SHOWN} more: say who or where.
        </Text>
      )}
      <Modal opened={giving} onClose={close} title="Give a role" size="lg">
        <GiveRole on={search.on} done={close} />
      </Modal>
    </PeopleFrame>
  )
}

const asked = ({ to, on }: GrantSearch) => ({ ...(to === undefined ? {} : { to }), ...(on === undefined ? {} : { on }) })

function Filters() {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const principals = usePrincipals()
  const places = usePlacesToGive()
  const set = (change: GrantSearch) => void navigate({ search: readGrantSearch({ ...search, ...change }), replace: true })
  return (
    <Group gap="sm" role="search" aria-label="Filter roles">
      <SettledField
        aria-label="Given to"
        placeholder="person/ann"
        offered={principals}
        value={search.to ?? ''}
        settle={(to) => set({ to })}
        w={{ base: '100%', xs: 220 }}
      />
      <SettledField
        aria-label="Given on"
        placeholder="store/shop"
        offered={places.map(({ on }) => on)}
        value={search.on ?? ''}
        settle={(on) => set({ on })}
        w={{ base: '100%', xs: 220 }}
      />
      {(search.to ?? search.on) !== undefined && (
        <Button variant="subtle" onClick={() => set({ to: undefined, on: undefined })}>
          Show all
        </Button>
      )}
    </Group>
  )
}
