import { Button, Group, Modal, Stack, Table, Text, Tooltip } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import type { GrantView } from '@postern/protocol/api/grants.ts'
import { useMutation } from '@tanstack/react-query'
import { api, KEYS, queryClient } from '../app/client.ts'
import { CrossButton } from '../parts/cross-button.tsx'
import { FaultNote } from '../parts/fault-note.tsx'
import { useRights } from '../sign-in/use-rights.ts'
import { Ago } from './ago.tsx'
import { whyNot } from './giving.ts'
import { PlaceLink, PrincipalLink } from './links.tsx'
import { useGatewayOf } from './use-places.ts'
import { useRoles } from './use-roles.ts'

interface GrantTableProps {
  readonly grants: readonly GrantView[]
  /** On a page of one of them it is said above. */
  readonly without?: 'to'
}

export function GrantTable({ grants, without }: GrantTableProps) {
  return (
    <Table.ScrollContainer minWidth="min-content">
      <Table highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            {without !== 'to' && <Table.Th>Who</Table.Th>}
            <Table.Th>Role</Table.Th>
            <Table.Th>On</Table.Th>
            <Table.Th visibleFrom="sm">Given by</Table.Th>
            <Table.Th visibleFrom="sm">When</Table.Th>
            <Table.Th aria-label="Actions" />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {grants.map((grant) => (
            <GrantRow key={grant.id} grant={grant} withWho={without !== 'to'} />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

function GrantRow({ grant, withWho }: { readonly grant: GrantView; readonly withWho: boolean }) {
  const roles = useRoles()
  const says = roles.items.find(({ name }) => name === grant.role)?.says ?? ''
  return (
    <Table.Tr>
      {withWho && (
        <Table.Td>
          <PrincipalLink who={grant.to} />
        </Table.Td>
      )}
      <Table.Td>
        <Tooltip label={says} disabled={says === ''}>
          <Text size="sm" tabIndex={0} w="fit-content" style={{ whiteSpace: 'nowrap' }}>
            {grant.role}
          </Text>
        </Tooltip>
      </Table.Td>
      <Table.Td>
        <PlaceLink on={grant.on} />
      </Table.Td>
      <Table.Td visibleFrom="sm">{grant.createdBy}</Table.Td>
      <Table.Td visibleFrom="sm">
        <Ago at={grant.createdAt} />
      </Table.Td>
      <Table.Td ta="right">
        <TakeAway grant={grant} />
      </Table.Td>
    </Table.Tr>
  )
}

/** It can be given again with two clicks, so it is asked once and not by name. */
function TakeAway({ grant }: { readonly grant: GrantView }) {
  const [opened, { open, close }] = useDisclosure(false)
  const { rights } = useRights()
  const roles = useRoles()
  const gatewayOf = useGatewayOf()
  const label = `Take the role ${grant.role} on ${grant.on.replace('/', ' ')} from ${grant.to.replace('/', ' ')}`
  return (
    <>
      <CrossButton
        label={label}
        hint="Take away"
        because={whyNot(rights, roles, grant.role, { on: grant.on, gateway: gatewayOf(grant.on) })}
        onClick={open}
      />
      <Modal opened={opened} onClose={close} title="Take a role away">
        <ReallyTake grant={grant} label={label} done={close} />
      </Modal>
    </>
  )
}

function ReallyTake({ grant, label, done }: { readonly grant: GrantView; readonly label: string; readonly done: () => void }) {
  const take = useMutation({
    mutationFn: () => api.grants.take(grant.id),
    onSuccess: async () => {
      done()
      await queryClient.invalidateQueries({ queryKey: KEYS.grants })
    },
  })
  return (
    <Stack gap="sm">
      <Text size="sm">{label}? It holds within a second; connections and streams that are open end within six.</Text>
      {take.error && <FaultNote cause={take.error} />}
      <Group justify="flex-end">
        <Button variant="default" onClick={done}>
          Keep it
        </Button>
        <Button color="red" loading={take.isPending} onClick={() => take.mutate()}>
          Take away
        </Button>
      </Group>
    </Stack>
  )
}
