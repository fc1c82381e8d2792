import { Stack, Table, Text, Title } from '@mantine/core'
import type { PermissionName } from '@postern/protocol/api/rights.ts'
import { useRights } from '../sign-in/use-rights.ts'
import { PlaceLink } from './links.tsx'
import { useRoles } from './use-roles.ts'

/** What one may where: the answer to "why can I not see it". */
export function OwnRightsList() {
  const { rights } = useRights()
  const places = [...(rights.service.length === 0 ? [] : [{ on: 'service', permissions: rights.service }]), ...rights.places]
  return (
    <Stack gap="xs">
      <Title order={2}>What you may</Title>
      {places.length === 0 && (
        <Text size="sm" c="dimmed">
          Nothing yet. Ask an administrator for a role, or an owner of a store for one on it.
        </Text>
      )}
      {places.length > 0 && (
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th w="22%">On</Table.Th>
              <Table.Th>You may</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {places.map(({ on, permissions }) => (
              <Table.Tr key={on}>
                <Table.Td style={{ verticalAlign: 'top' }}>
                  <PlaceLink on={on} />
                </Table.Td>
                <Table.Td>
                  <Allowed permissions={permissions} />
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Stack>
  )
}

function Allowed({ permissions }: { readonly permissions: readonly PermissionName[] }) {
  const roles = useRoles()
  return (
    <Text size="sm" component="ul" m={0} pl="md" style={{ columnWidth: 300 }}>
      {permissions.map((permission) => (
        <li key={permission}>{roles.permissions.find(({ name }) => name === permission)?.says ?? permission}</li>
      ))}
    </Text>
  )
}
