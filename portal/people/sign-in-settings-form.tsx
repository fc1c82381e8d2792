import { Group, NumberInput, Stack, Text } from '@mantine/core'
import { useForm } from '@mantine/form'
import type { SignInSettings } from '@postern/protocol/api/people.ts'
import { useMutation, useQuery } from '@tanstack/react-query'
import { api, KEYS, queryClient } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { ReasonedButton } from '../parts/reasoned-button.tsx'
import { timeOf } from './times.ts'

const KEY = [...KEYS.signIns, 'settings']
const HOUR_S = 3_600
const LONGEST_H = 31_536_000 / HOUR_S

export function SignInSettingsForm({ because }: { readonly because: string | undefined }) {
  const settings = useQuery({ queryKey: KEY, queryFn: ({ signal }) => api.signIn.settings(signal), refetchOnWindowFocus: false })
  if (settings.error) return <FaultNote cause={settings.error} />
  return settings.data ? <Settings key={JSON.stringify(settings.data)} settings={settings.data} because={because} /> : null
}

/** In hours, as people think of it; what is less can be set at the command line and stays as it is here until it is changed. */
function Settings({ settings, because }: { readonly settings: SignInSettings; readonly because: string | undefined }) {
  const form = useForm<{ idle: number | ''; life: number | '' }>({
    initialValues: { idle: settings.idleSeconds / HOUR_S, life: settings.lifeSeconds / HOUR_S },
    validate: { idle: checkHours, life: checkHours },
  })
  const save = useMutation({
    mutationFn: ({ idle, life }: { readonly idle: number | ''; readonly life: number | '' }) =>
      api.signIn.setSettings({ idleSeconds: Math.round(Number(idle) * HOUR_S), lifeSeconds: Math.round(Number(life) * HOUR_S) }),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: KEY }),
  })
  const disabled = because !== undefined
  return (
    <form onSubmit={form.onSubmit((values) => save.mutate(values))}>
      <Stack gap="sm">
        <Text size="sm" c="dimmed">
          Ends when not used for {timeOf(settings.idleSeconds)}, and at an age of {timeOf(settings.lifeSeconds)}. A shorter time holds at
          once, also for those that are open.
        </Text>
        <Group gap="sm" align="flex-end">
          <NumberInput
            label="Not used for, hours"
            min={0.02}
            decimalScale={2}
            disabled={disabled}
            w={180}
            {...form.getInputProps('idle')}
          />
          <NumberInput
            label="At the age of, hours"
            min={0.02}
            decimalScale={2}
            disabled={disabled}
            w={180}
            {...form.getInputProps('life')}
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
      </Stack>
    </form>
  )
}

function checkHours(hours: number | ''): string | null {
  return hours !== '' && hours * HOUR_S >= 60 && hours <= LONGEST_H ? null : `One minute to ${LONGEST_H.toLocaleString('en-US')} hours`
}
