import { Group, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import type { GroupView } from '@postern/protocol/api/grants.ts'
import { useMutation } from '@tanstack/react-query'
import { api, KEYS, queryClient } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { ReasonedButton } from '../parts/reasoned-button.tsx'

export function GroupDescription({ group, because }: { readonly group: GroupView; readonly because: string | undefined }) {
  const form = useForm({ initialValues: { description: group.description } })
  const save = useMutation({
    mutationFn: (body: { readonly description: string }) => api.groups.change(group.name, body),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: KEYS.groups }),
  })
  return (
    <form onSubmit={form.onSubmit((values) => save.mutate(values))}>
      <Group gap="sm" align="flex-end">
        <TextInput
          label="For"
          autoComplete="off"
          maxLength={500}
          disabled={because !== undefined}
          w={{ base: '100%', xs: 420 }}
          {...form.getInputProps('description')}
        />
        <ReasonedButton
          type="submit"
          h={36}
          variant="light"
          loading={save.isPending}
          because={because ?? (form.isDirty() ? undefined : 'Nothing was changed')}
        >
          Save
        </ReasonedButton>
      </Group>
      {save.error && <FaultNote cause={save.error} />}
    </form>
  )
}
