import { Group, Modal, Stack, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { notifications } from '@mantine/notifications'
import type { PersonView } from '@postern/protocol/api/people.ts'
import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { api, KEYS, queryClient } from '../app/client.ts'
import { DeleteByName } from '../parts/delete-by-name.tsx'
import { FaultNote } from '../parts/fault-note.tsx'
import { notifyFault } from '../parts/notify-fault.ts'
import { ReasonedButton } from '../parts/reasoned-button.tsx'
import { ShownOnce } from '../parts/shown-once.tsx'
import { useMe } from '../sign-in/use-rights.ts'

const reread = () => queryClient.invalidateQueries({ queryKey: KEYS.people })

export function PersonActions({ person, because }: { readonly person: PersonView; readonly because: string | undefined }) {
  const [resetting, reset] = useDisclosure(false)
  const [deleting, remove] = useDisclosure(false)
  const navigate = useNavigate()
  const act = useMutation({
    mutationFn: async (what: 'disable' | 'enable' | 'sign out') => {
      if (what === 'sign out') return `${(await api.people.signOut(person.name)).ended} sign-ins have ended`
      await api.people.change(person.name, { disabled: what === 'disable' })
      return `${person.name} is ${what}d`
    },
    onSuccess: async (message) => {
      notifications.show({ message })
      await reread()
    },
    onError: notifyFault,
  })
  const me = useMe()
  const oneself = me?.kind === 'person' && me.name === person.name ? 'This is you: you would shut yourself out' : undefined
  const fromProvider = person.issuer === null ? undefined : 'The password is the provider’s'
  return (
    <Group gap="xs">
      <ReasonedButton variant="default" because={because} onClick={() => act.mutate('sign out')}>
        Sign out everywhere
      </ReasonedButton>
      <ReasonedButton variant="default" because={because ?? fromProvider} onClick={reset.open}>
        New password…
      </ReasonedButton>
      <ReasonedButton variant="default" because={because ?? oneself} onClick={() => act.mutate(person.disabled ? 'enable' : 'disable')}>
        {person.disabled ? 'Enable' : 'Disable'}
      </ReasonedButton>
      <ReasonedButton variant="light" color="red" because={because ?? oneself} onClick={remove.open}>
        Delete…
      </ReasonedButton>
      <Modal opened={resetting} onClose={reset.close} title={`New password for ${person.name}`}>
        <NewPassword name={person.name} />
      </Modal>
      <DeleteByName
        opened={deleting}
        close={remove.close}
        title={`person ${person.name}`}
        name={person.name}
        remove={async () => {
          await api.people.delete(person.name)
          await navigate({ to: '/people' })
          await reread()
        }}
      >
        What is open ends at once; roles, membership in groups and tokens of {person.name} are gone with the account. What was done stays in
        the audit. To let nobody in and keep all that, disable it.
      </DeleteByName>
    </Group>
  )
}

function NewPassword({ name }: { readonly name: string }) {
  const reset = useMutation({ mutationFn: () => api.people.resetPassword(name), onSuccess: reread })
  if (reset.data?.oncePassword !== undefined)
    return (
      <ShownOnce secret={reset.data.oncePassword}>
        Give it to <b>{name}</b>. It is good for one sign-in, which asks for one of their own.
      </ShownOnce>
    )
  return (
    <Stack gap="sm">
      <Text size="sm">
        The old password opens nothing any more, and what was open under it ends: in browsers, programs and connections.
      </Text>
      {reset.error && <FaultNote cause={reset.error} />}
      <Group justify="flex-end">
        <ReasonedButton loading={reset.isPending} onClick={() => reset.mutate()}>
          Make a new one
        </ReasonedButton>
      </Group>
    </Stack>
  )
}
