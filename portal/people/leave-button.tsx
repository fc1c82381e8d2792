import { Button, Group, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation } from '@tanstack/react-query'
import { notifyFault } from '../parts/notify-fault.ts'
import { join, leave } from './memberships.ts'

/** Not asked before: it is undone where it is told. */
export function LeaveButton({ group, who }: { readonly group: string; readonly who: string }) {
  const out = useMutation({ mutationFn: () => leave(group, who), onSuccess: () => tell(group, who), onError: notifyFault })
  return (
    <Button
      variant="subtle"
      color="red"
      size="compact-xs"
      loading={out.isPending}
      onClick={() => out.mutate()}
      aria-label={`Take out ${who.replace('/', ' ')} of ${group}`}
    >
      Take out
    </Button>
  )
}

function tell(group: string, who: string): void {
  const id = `out ${group} ${who}`
  const back = async () => {
    notifications.hide(id)
    await join(group, who).catch(notifyFault)
  }
  notifications.show({
    id,
    message: (
      <Group gap="sm">
        <Text size="sm">
          {who.replace('/', ' ')} is out of {group}
        </Text>
        <Button size="compact-xs" variant="light" onClick={() => void back()}>
          Put back
        </Button>
      </Group>
    ),
  })
}
