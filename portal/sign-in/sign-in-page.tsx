import { Button, Center, Divider, Group, Paper, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core'
import { useForm } from '@mantine/form'
import { Fault } from '@postern/protocol/fault.ts'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, KEYS, queryClient } from '../app/client.ts'
import { Arch } from '../parts/arch.tsx'
import { FaultNote } from '../parts/fault-note.tsx'
import { FirstPerson } from './first-person.tsx'
import { startOf } from './oidc-start.ts'

export function SignInPage() {
  const ways = useQuery({ queryKey: KEYS.ways, queryFn: ({ signal }) => api.signIn.ways(signal) })
  return (
    <Center mih="100vh" p="md" component="main">
      <Paper withBorder p="xl" w={380} maw="100%">
        <Stack gap="md">
          <Group gap="xs">
            <Arch size={26} />
            <Title order={1}>Postern</Title>
          </Group>
          {ways.error && <FaultNote cause={ways.error} />}
          {ways.data?.firstPerson ? <FirstPerson /> : <PasswordForm />}
          {(ways.data?.providers.length ?? 0) > 0 && <Divider label="or" />}
          {ways.data?.providers.map(({ name, title }) => (
            <Button key={name} component="a" variant="default" size="sm" href={startOf(name, location)}>
              Sign in with {title}
            </Button>
          ))}
        </Stack>
      </Paper>
    </Center>
  )
}

/** A password that is good for one sign-in is changed in the same step. */
function PasswordForm() {
  const [mustChange, setMustChange] = useState(false)
  const form = useForm({ mode: 'uncontrolled', initialValues: { name: '', password: '', newPassword: '' } })
  const signIn = useMutation({
    mutationFn: ({ name, password, newPassword }: ReturnType<typeof form.getValues>) =>
      api.signIn.begin({ name, password, as: 'cookie', ...(mustChange ? { newPassword } : {}) }),
    onSuccess: () => queryClient.invalidateQueries(),
    onError: (cause) => setMustChange(mustChange || Fault.from(cause).code === 'PASSWORD_CHANGE_NEEDED'),
  })
  const asksForChange = mustChange && Fault.from(signIn.error).code === 'PASSWORD_CHANGE_NEEDED'
  return (
    <form onSubmit={form.onSubmit((values) => signIn.mutate(values))}>
      <Stack gap="sm">
        <TextInput label="Name" autoComplete="username" required autoFocus key={form.key('name')} {...form.getInputProps('name')} />
        <PasswordInput
          label="Password"
          autoComplete="current-password"
          required
          key={form.key('password')}
          {...form.getInputProps('password')}
        />
        {mustChange && (
          <PasswordInput
            label="New password"
            description="At least 12 characters. The one above was good for this one sign-in."
            autoComplete="new-password"
            required
            key={form.key('newPassword')}
            {...form.getInputProps('newPassword')}
          />
        )}
        {signIn.error && !asksForChange && <FaultNote cause={signIn.error} />}
        {asksForChange && <Text size="sm">Choose a password of your own to go on.</Text>}
        <Button type="submit" size="sm" loading={signIn.isPending}>
          Sign in
        </Button>
      </Stack>
    </form>
  )
}
