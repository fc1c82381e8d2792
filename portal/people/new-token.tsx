import { Button, Collapse, Group, NumberInput, SegmentedControl, SimpleGrid, Stack, Text, TextInput } from '@mantine/core'
import { type UseFormReturnType, useForm } from '@mantine/form'
import { useDisclosure } from '@mantine/hooks'
import { useMutation } from '@tanstack/react-query'
import { api, KEYS, queryClient } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { ReasonedButton } from '../parts/reasoned-button.tsx'
import { ShownOnce } from '../parts/shown-once.tsx'
import { useRights } from '../sign-in/use-rights.ts'
import { RoleSelect } from './role-select.tsx'
import { RolesAtPlaces } from './roles-at-places.tsx'
import { bodyOf, lacking, NEW_TOKEN, saysRoles, type TokenForm } from './token-words.ts'

type Form = UseFormReturnType<TokenForm>

export function NewToken({ done }: { readonly done: () => void }) {
  const { may } = useRights()
  const form = useForm<TokenForm>({ initialValues: NEW_TOKEN })
  const make = useMutation({
    mutationFn: (values: TokenForm) => api.tokens.create(bodyOf(values, Date.now())),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: KEYS.tokens }),
  })
  if (make.data)
    return (
      <Stack gap="sm">
        <ShownOnce secret={make.data.token}>
          Token <b>{make.data.name}</b>. Programs send it as <b>Authorization: Bearer …</b>, or have it in <b>POSTERN_TOKEN</b>.
        </ShownOnce>
        <Group justify="flex-end">
          <Button onClick={done}>Close</Button>
        </Group>
      </Stack>
    )
  return (
    <form onSubmit={form.onSubmit((values) => make.mutate(values))}>
      <Stack gap="sm">
        <TextInput
          label="Name"
          description="Shown in queries, runs and the audit"
          required
          maxLength={63}
          autoComplete="off"
          data-autofocus
          {...form.getInputProps('name')}
        />
        {may('tokens:write') && <Whose form={form} />}
        <What form={form} />
        <NumberInput
          label="Ends after days"
          description="Empty: never"
          min={1}
          max={3_650}
          allowDecimal={false}
          {...form.getInputProps('days')}
        />
        <Limits form={form} />
        {make.error && <FaultNote cause={make.error} />}
        <Group justify="flex-end">
          <ReasonedButton type="submit" because={lacking(form.values)} loading={make.isPending}>
            Make the token
          </ReasonedButton>
        </Group>
      </Stack>
    </form>
  )
}

function Whose({ form }: { readonly form: Form }) {
  return (
    <div>
      <SegmentedControl
        aria-label="Whose token"
        data={[
          { value: 'me', label: 'My own' },
          { value: 'program', label: 'A program’s' },
        ]}
        value={form.values.forMe ? 'me' : 'program'}
        onChange={(value) => form.setFieldValue('forMe', value === 'me')}
      />
      <Text size="xs" c="dimmed" mt={4}>
        {form.values.forMe
          ? 'It never does more than you may, now or later, and ends with your account.'
          : 'It belongs to nobody: it stays when people leave, and has just what you give it.'}
      </Text>
    </div>
  )
}

function What({ form }: { readonly form: Form }) {
  const { forMe, keptTo, role, roles } = form.values
  return (
    <>
      {forMe && (
        <SegmentedControl
          style={{ alignSelf: 'flex-start' }}
          aria-label="What it may"
          data={[
            { value: 'all', label: 'All that I may' },
            { value: 'less', label: 'Kept to less' },
          ]}
          value={keptTo}
          onChange={(value) => form.setFieldValue('keptTo', value === 'less' ? 'less' : 'all')}
        />
      )}
      {saysRoles(form.values) && (
        <>
          {!forMe && <RoleSelect value={role} onChange={(one) => form.setFieldValue('role', one)} />}
          <RolesAtPlaces roles={roles} forMe={forMe} onChange={(changed) => form.setFieldValue('roles', [...changed])} />
        </>
      )}
    </>
  )
}

const LIMITS = [
  ['timeoutMs', 'Longest time', 'In ms, from its arrival to its last byte'],
  ['maxRows', 'Most rows', 'A longer result is cut'],
  ['maxBytes', 'Most bytes', 'A larger result is cut'],
  ['concurrency', 'Queries at a time', 'By each replica of the service'],
  ['connections', 'Connections at a time', 'By each replica; 0: none'],
] as const

function Limits({ form }: { readonly form: Form }) {
  const [open, { toggle }] = useDisclosure(false)
  return (
    <div>
      <Button variant="subtle" size="compact-xs" onClick={toggle} aria-expanded={open}>
        Limits of each query
      </Button>
      <Collapse expanded={open}>
        <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm" mt="xs">
          {LIMITS.map(([name, label, description]) => (
            <NumberInput
              key={name}
              label={label}
              description={description}
              min={name === 'connections' ? 0 : 1}
              allowDecimal={false}
              thousandSeparator=","
              {...form.getInputProps(`limits.${name}`)}
            />
          ))}
        </SimpleGrid>
      </Collapse>
    </div>
  )
}
