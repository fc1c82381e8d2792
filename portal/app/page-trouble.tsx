import { Button, Center, Loader, Stack, Title } from '@mantine/core'
import { FaultNote } from '../parts/fault-note.tsx'

/** A page whose script did not come, or which broke: the navigation beside it still works. */
export function PageTrouble({ error }: { readonly error: unknown }) {
  return (
    <Stack gap="sm" maw={640}>
      <Title order={1}>This page could not be shown</Title>
      <FaultNote cause={error} />
      <div>
        <Button onClick={() => location.reload()}>Load it again</Button>
      </div>
    </Stack>
  )
}

export function PageWaits() {
  return (
    <Center mih={240}>
      <Loader size="sm" aria-label="Loading" />
    </Center>
  )
}
