import { Group, PasswordInput, SimpleGrid, Stack, Text, Title } from '@mantine/core'
import { useForm } from '@mantine/form'
import { notifications } from '@mantine/notifications'
import { useMutation } from '@tanstack/react-query'
import { api, KEYS, queryClient } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { ReasonedButton } from '../parts/reasoned-button.tsx'
import { useMe } from '../sign-in/use-rights.ts'

const SHORTEST = 12

export function OwnPassword() {
  const me = useMe()
  const form = useForm({
    mode: 'uncontrolled',
    initialValues: { password: '', newPassword: '', again: '' },
    validate: {
      newPassword: (value) => (value.length < SHORTEST ? `At least ${SHORTEST} characters` : null),
      again: (value, { newPassword }) => (value === newPassword ? null : 'Not the same'),
    },
  })
  const change = useMutation({
    mutationFn: ({ password, newPassword }: ReturnType<typeof form.getValues>) => api.signIn.changePassword({ password, newPassword }),
    onSuccess: async () => {
      form.reset()
      notifications.show({ message: 'Your password is changed; your other sign-ins have ended' })
      await queryClient.invalidateQueries({ queryKey: KEYS.signIns })
    },
  })
  return (
    <form onSubmit={form.onSubmit((values) => change.mutate(values))}>
      <Stack gap="xs">
        <Title order={2}>Password</Title>
        <Text size="sm" c="dimmed">
          At least {SHORTEST} characters; what guessers try first is refused. Your other sign-ins end.
        </Text>
        {/* For password managers, which else do not know whose it is. */}
        <input type="text" name="username" autoComplete="username" value={me?.name ?? ''} readOnly hidden />
        <SimpleGrid cols={{ base: 1, sm: 3 }} spacing="sm">
          <PasswordInput
            label="The one you have"
            autoComplete="current-password"
            required
            key={form.key('password')}
            {...form.getInputProps('password')}
          />
          <PasswordInput
            label="New password"
            autoComplete="new-password"
            required
            key={form.key('newPassword')}
            {...form.getInputProps('newPassword')}
          />
          <PasswordInput
            label="The new one again"
            autoComplete="new-password"
            required
            key={form.key('again')}
            {...form.getInputProps('again')}
          />
        </SimpleGrid>
        {change.error && <FaultNote cause={change.error} />}
        <Group>
          <ReasonedButton type="submit" variant="light" loading={change.isPending}>
            Change it
          </ReasonedButton>
        </Group>
      </Stack>
    </form>
  )
}
