import { Group, Modal, Stack, Text, Title } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { api, KEYS } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { ReasonedButton } from '../parts/reasoned-button.tsx'
import { useRights } from '../sign-in/use-rights.ts'
import { GiveRole } from './give-role.tsx'
import { GrantTable } from './grant-table.tsx'

/** What was given to one person or group itself, and more of it. */
export function RolesOf({ who, none }: { readonly who: string; readonly none: string }) {
  const { mayAnywhere } = useRights()
  const [giving, { open, close }] = useDisclosure(false)
  const grants = useQuery({ queryKey: [...KEYS.grants, { to: who }], queryFn: ({ signal }) => api.grants.list({ to: who }, signal) })
  return (
    <Stack gap="xs">
      <Group justify="space-between">
        <Title order={2}>Roles given</Title>
        <ReasonedButton variant="light" because={mayAnywhere('grants:write') ? undefined : 'You may give roles nowhere'} onClick={open}>
          Give a role
        </ReasonedButton>
      </Group>
      {grants.error && <FaultNote cause={grants.error} />}
      {grants.data?.length === 0 && (
        <Text size="sm" c="dimmed">
          {none}
        </Text>
      )}
      {grants.data && grants.data.length > 0 && <GrantTable grants={grants.data} without="to" />}
      <Modal opened={giving} onClose={close} title={`Give ${who.replace('/', ' ')} a role`} size="lg">
        <GiveRole to={who} done={close} />
      </Modal>
    </Stack>
  )
}
