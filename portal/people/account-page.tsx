import { Anchor, Button, Group, Stack, Text, Title } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { api, KEYS, queryClient } from '../app/client.ts'
import { Facts } from '../parts/facts.tsx'
import { FaultNote } from '../parts/fault-note.tsx'
import { notifyFault } from '../parts/notify-fault.ts'
import { useMe } from '../sign-in/use-rights.ts'
import { OwnPassword } from './own-password.tsx'
import { OwnRightsList } from './own-rights-list.tsx'
import { SignInTable } from './sign-in-table.tsx'

/** What is one's own: the sign-ins, the password, what one may. */
export function AccountPage() {
  const me = useMe()
  const signIns = useQuery({ queryKey: KEYS.signIns, queryFn: ({ signal }) => api.signIn.list(signal) })
  const way = signIns.data?.find(({ current }) => current)?.way
  return (
    <Stack gap="lg">
      <Title order={1}>Your account</Title>
      <Facts
        facts={[
          ['Signed in as', me?.name ?? ''],
          ['Role on the whole service', me?.role ?? ''],
          [
            'Tokens for programs',
            <Anchor key="tokens" size="sm" renderRoot={(props) => <Link to="/tokens" search={{ kind: 'mine' }} {...props} />}>
              your own
            </Anchor>,
          ],
        ]}
      />
      <Stack gap="xs">
        <Group justify="space-between">
          <Title order={2}>Where you are signed in</Title>
          {(signIns.data?.length ?? 0) > 1 && <EndOthers />}
        </Group>
        {signIns.error && <FaultNote cause={signIns.error} />}
        {signIns.data && <SignInTable signIns={signIns.data} end={(id) => void endOne(id)} />}
      </Stack>
      {way === 'password' && <OwnPassword />}
      {way !== undefined && way !== 'password' && (
        <Text size="sm" c="dimmed">
          Your password is at {way}: change it there.
        </Text>
      )}
      <OwnRightsList />
    </Stack>
  )
}

async function endOne(id: string): Promise<void> {
  try {
    await api.signIn.endOne(id)
  } catch (cause) {
    notifyFault(cause)
  }
  await queryClient.invalidateQueries({ queryKey: KEYS.signIns })
}

function EndOthers() {
  const end = useMutation({
    mutationFn: () => api.signIn.endAll({ others: true }),
    onSuccess: async ({ ended }) => {
      notifications.show({ message: ended === 1 ? 'One other sign-in has ended' : `${ended} other sign-ins have ended` })
      await queryClient.invalidateQueries({ queryKey: KEYS.signIns })
    },
    onError: notifyFault,
  })
  return (
    <Button variant="default" loading={end.isPending} onClick={() => end.mutate()}>
      End all others
    </Button>
  )
}
