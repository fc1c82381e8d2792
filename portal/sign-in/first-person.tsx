import { Button, Code, PasswordInput, Stack, Text, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { Client } from '@postern/client/client.ts'
import { useMutation } from '@tanstack/react-query'
import { api, queryClient } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'

/** Nobody has an account yet: the token that the service wrote at its first start makes the first administrator. */
export function FirstPerson() {
  const form = useForm({ mode: 'uncontrolled', initialValues: { token: '', name: '', password: '' } })
  const make = useMutation({
    mutationFn: async ({ token, name, password }: ReturnType<typeof form.getValues>) => {
      await new Client({ url: location.origin, token: token.trim() }).people.create({ name, password, role: 'administrator' })
      await api.signIn.begin({ name, password, as: 'cookie' })
    },
    onSuccess: () => queryClient.invalidateQueries(),
  })
  return (
    <form onSubmit={form.onSubmit((values) => make.mutate(values))}>
      <Stack gap="sm">
        <Text size="sm">
          Nobody has an account yet: make the first administrator. The token stands in the file <Code>admin-token</Code> of the
          service&apos;s data folder on its machine, <Code>.postern/service/admin-token</Code> unless the service was started with another{' '}
          <Code>--data</Code>.
        </Text>
        <PasswordInput
          label="Administrator's token"
          autoComplete="off"
          required
          autoFocus
          key={form.key('token')}
          {...form.getInputProps('token')}
        />
        <TextInput label="Your name" autoComplete="username" required key={form.key('name')} {...form.getInputProps('name')} />
        <PasswordInput
          label="Password"
          description="At least 12 characters"
          autoComplete="new-password"
          required
          key={form.key('password')}
          {...form.getInputProps('password')}
        />
        {make.error && <FaultNote cause={make.error} />}
        <Button type="submit" size="sm" loading={make.isPending}>
          Make it and sign in
        </Button>
      </Stack>
    </form>
  )
}
