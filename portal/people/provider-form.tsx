import { Code, Fieldset, Group, SimpleGrid, Stack, TagsInput, Text, TextInput } from '@mantine/core'
import { type UseFormReturnType, useForm } from '@mantine/form'
import { notifications } from '@mantine/notifications'
import { useMutation } from '@tanstack/react-query'
import { api, KEYS, queryClient } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { ReasonedButton } from '../parts/reasoned-button.tsx'
import { ProviderRoles } from './provider-roles.tsx'
import { CHECKS, putOf, type ProviderForm as Values } from './provider-words.ts'

export type Form = UseFormReturnType<Values>

interface ProviderFormProps {
  readonly initial: Values
  readonly isNew: boolean
  readonly because: string | undefined
  readonly saved: (name: string) => void
}

export function ProviderForm({ initial, isNew, because, saved }: ProviderFormProps) {
  const form = useForm<Values>({ initialValues: initial, validate: CHECKS, validateInputOnBlur: true })
  const save = useMutation({
    mutationFn: (values: Values) => api.oidc.put(values.name, putOf(values)),
    onSuccess: async ({ name }) => {
      notifications.show({ message: `Provider ${name} is saved. Try it in a private window before you tell people.` })
      await queryClient.invalidateQueries({ queryKey: KEYS.providers })
      saved(name)
    },
  })
  return (
    <form onSubmit={form.onSubmit((values) => save.mutate(values))}>
      <Stack gap="md" maw={880}>
        <Where form={form} isNew={isNew} disabled={because !== undefined} />
        <WhoMayCome form={form} disabled={because !== undefined} />
        <Claims form={form} disabled={because !== undefined} />
        {save.error && <FaultNote cause={save.error} />}
        <Group>
          <ReasonedButton type="submit" because={because ?? (form.isDirty() ? undefined : 'Nothing was changed')} loading={save.isPending}>
            {isNew ? 'Set it up' : 'Save'}
          </ReasonedButton>
        </Group>
      </Stack>
    </form>
  )
}

interface PartProps {
  readonly form: Form
  readonly disabled: boolean
}

function Where({ form, isNew, disabled }: PartProps & { readonly isNew: boolean }) {
  const name = form.values.name || 'NAME'
  return (
    <Fieldset mx={0} legend="Provider" disabled={disabled}>
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
        {isNew && (
          <TextInput
            label="Name"
            description="Part of the address to come back to"
            required
            autoComplete="off"
            {...form.getInputProps('name')}
          />
        )}
        <TextInput label="Title" description="What people see on the button" autoComplete="off" {...form.getInputProps('title')} />
        <TextInput
          label="Issuer"
          description="Letter for letter what the provider calls itself"
          required
          placeholder="https://login.example.com/realms/acme"
          autoComplete="off"
          {...form.getInputProps('issuer')}
        />
        <TextInput
          label="Client id"
          description="As the provider gave it"
          required
          autoComplete="off"
          {...form.getInputProps('clientId')}
        />
        <TextInput
          label="Where the client secret is"
          description="On each replica: env:NAME or file:NAME. Empty: none"
          placeholder="env:POSTERN_OIDC_ACME"
          autoComplete="off"
          {...form.getInputProps('secret')}
        />
        <TagsInput label="Scopes" description="Some providers want one more before they say groups" {...form.getInputProps('scopes')} />
      </SimpleGrid>
      {isNew && (
        <Text size="sm" mt="sm">
          At the provider, let people come back to{' '}
          <Code style={{ overflowWrap: 'anywhere' }}>{`${location.origin}/v1/oidc/${name}/callback`}</Code>
        </Text>
      )}
    </Fieldset>
  )
}

function WhoMayCome({ form, disabled }: PartProps) {
  return (
    <Fieldset mx={0} legend="Who may come, and with which role" disabled={disabled}>
      <Stack gap="sm">
        <TagsInput
          label="E-mail domains"
          description="Whose verified addresses may come. * is everybody whom the provider knows"
          {...(form.values.allowDomains.length === 0 ? { placeholder: 'example.com' } : {})}
          {...form.getInputProps('allowDomains')}
        />
        <TagsInput label="Groups" description="Whose members may come" {...form.getInputProps('allowGroups')} />
        <ProviderRoles form={form} />
      </Stack>
    </Fieldset>
  )
}

function Claims({ form, disabled }: PartProps) {
  return (
    <Fieldset mx={0} legend="Where the provider says it" disabled={disabled}>
      <SimpleGrid cols={{ base: 1, sm: 3 }} spacing="sm">
        <TextInput label="Name" autoComplete="off" {...form.getInputProps('nameClaim')} />
        <TextInput label="E-mail" autoComplete="off" {...form.getInputProps('emailClaim')} />
        <TextInput label="Groups" autoComplete="off" {...form.getInputProps('groupsClaim')} />
      </SimpleGrid>
    </Fieldset>
  )
}
